"""FID, FID∞, KID, precision, recall, density and coverage: all from one pass of each image through Inception."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load
from fvae.errors import UserError
from fvae.evaluation.reference import Reference
from fvae.evaluation.reference import load as load_reference
from fvae.files import read_json
from fvae.params import Experiment
from fvae.results import InceptionStatus, read_samples

FROM_FEATURES = ("fid", "fid_infinity", "kid", "kid_deviation", "precision", "recall", "density", "coverage")
NOTHING: dict[str, Any] = {key: None for name in FROM_FEATURES for key in (name, f"{name}_standard_deviation")}


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`inception_metrics` of each draw of a run's random samples beside the reference set: all training images."""
    images = load(layout.data(experiment_name))
    draws = read_samples(run, "random")
    reference = load_reference(layout.reference(experiment_name), images.digest())
    weights = read_json(layout.INCEPTION_STATUS, "inception", InceptionStatus)
    settings = experiment.evaluation.fid
    if not isinstance(reference, str) and draws.shape[1] < settings.images:
        raise UserError(f"evaluation.fid.images: {settings.images}, but sampling.random.images is {draws.shape[1]}")
    return inception_metrics(draws[:, : settings.images], reference, weights, int(run.seed))


def inception_metrics(
    draws: Sequence[np.ndarray] | np.ndarray, reference: Reference | str, weights: dict[str, str | None], seed: int
) -> dict[str, Any]:
    """The numbers named in FROM_FEATURES, between sets of N images, (N, C, H, W) each, and training images.

    Each is the mean over the sets; NAME_standard_deviation and NAME_draws are beside it. Without weights all are None,
    with the reason.
    """
    if isinstance(reference, str) or weights["path"] is None:
        return {**NOTHING, "reason": reference if isinstance(reference, str) else weights["reason"]}
    # PyTorch and torchvision take seconds to import, and without weights they are not needed.
    from fvae.evaluation.feature_numbers import feature_numbers

    return feature_numbers(draws, reference, Path(weights["path"]), seed)
