"""The portrait distance between random samples and test images, and which kinds of portraits are among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation.factor_reader.factors import shares, true_kinds
from fvae.evaluation.factor_reader.network import features, read
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.spread import deviation, mean
from fvae.params import Experiment, Portraits
from fvae.results import read_samples

NO_PORTRAITS = "it is defined for drawn portraits alone, whose factors are known"


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`portrait_distance` of a run's random samples; of photographs null, with the reason."""
    if not isinstance(experiment.data, Portraits):
        return {"portrait_distance": None, "standard_deviation": None, "reason": NO_PORTRAITS}
    data, images = experiment.data, load(layout.data(experiment_name))
    draws = read_samples(run, "random")
    test = images.split("test")
    first = data.train + data.validation  # of the test portraits: the number by which it was drawn
    truth = true_kinds(np.arange(first, first + len(test)), data.seed)
    return portrait_distance(draws, test, experiment.evaluation.portrait_distance.images) | {
        "true_shares": shares(truth)
    }


def portrait_distance(draws: np.ndarray, test: np.ndarray, images: int) -> dict[str, Any]:
    """The distance of each draw of samples (draws, N, 3, H, H) to random test images, and the shares of kinds.

    The shares are as the network reads them: over all draws, and over all test images.
    """
    images = min(images, draws.shape[1], len(test))
    distance = PortraitDistance(random_images(test, images, "evaluate/test"))
    found = [features(distance.reader, draw[:images]) for draw in draws]
    distances = [distance.of_features(each) for each in found]
    return {
        "portrait_distance": mean(distances),
        "standard_deviation": deviation(distances),
        "draws": distances,
        "images": images,
        "reason": None,
        "shares": shares(read(distance.reader, np.concatenate(found))[0]),
        "shares_of_test_images": shares(read(distance.reader, features(distance.reader, test))[0]),
    }
