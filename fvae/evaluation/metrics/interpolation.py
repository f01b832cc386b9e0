"""Interpolation: whether the images between two real ones are portraits of their own, or one faded into the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.evaluation.factor_reader.network import confidence, features, trained
from fvae.params import Experiment, Portraits
from fvae.results import read_samples

NO_PORTRAITS = "factors can be read only of drawn portraits"


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`confidence_along` of a run's interpolations between test images; of photographs null, with the reason."""
    if not isinstance(experiment.data, Portraits):
        return {"model": None, "cross_fade": None, "real": None, "reason": NO_PORTRAITS}
    return confidence_along(read_samples(run, "interpolation"))


def confidence_along(pairs: np.ndarray) -> dict[str, Any]:
    """Mean probability of the factors that are read, at each step between two real images, averaged over pairs.

    `pairs` are (pairs, steps + 2, C, H, W), with the real images at both ends. `model` has one number for each of the
    steps, `cross_fade` the numbers of mixtures of the pixels of both real images, and `real` is the mean of real ones.
    """
    ends, between = pairs[:, [0, -1]], pairs[:, 1:-1]
    t = np.linspace(0, 1, between.shape[1])[None, :, None, None, None]
    faded = np.rint((1 - t) * ends[:, :1] + t * ends[:, 1:]).astype(np.uint8)
    reader = trained()

    def probability(images: np.ndarray) -> np.ndarray:
        flat = images.reshape(-1, *images.shape[2:])
        return confidence(reader, features(reader, flat)).reshape(images.shape[:2]).mean(0)

    return {
        "model": probability(between).tolist(),
        "cross_fade": probability(faded).tolist(),
        "real": float(probability(ends).mean()),
        "pairs": len(pairs),
        "reason": None,
    }
