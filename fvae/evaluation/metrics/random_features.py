"""How far random samples are from test images in the features of a randomly initialised network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation.random_features import SEED, RandomFeatures
from fvae.evaluation.spread import with_deviations
from fvae.params import Experiment
from fvae.results import read_samples


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`random_features` of a run's random samples, of as many images as SWD."""
    test = load(layout.data(experiment_name)).split("test")
    draws = read_samples(run, "random")
    return random_features(draws, test, experiment.evaluation.swd.images)


def random_features(draws: np.ndarray, test: np.ndarray, images: int) -> dict[str, Any]:
    """`over_sets` of each draw of samples (draws, N, 3, H, H), beside as many random test images."""
    images = min(images, draws.shape[1], len(test))
    compare = RandomFeatures(random_images(test, images, "evaluate/test"))
    return over_sets((compare(samples[:images]) for samples in draws), images)


def over_sets(found: Iterable[dict[str, float]], images: int) -> dict[str, Any]:
    """The mean of each number over sets of so many images; NAME_standard_deviation and NAME_draws are beside it."""
    return {"images": images, "network_seed": SEED, **with_deviations(list(found))}
