"""The sliced Wasserstein distance between random samples and test images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation.spread import by_key, deviation, mean
from fvae.evaluation.swd import DistanceTo, mean_over_levels
from fvae.params import SWD, Experiment
from fvae.results import read_samples
from fvae.training.machine import default_device


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`sliced_wasserstein` of each draw of a run's random samples."""
    test = load(layout.data(experiment_name)).split("test")
    draws = read_samples(run, "random")
    return sliced_wasserstein(draws, test, experiment.evaluation.swd, int(run.seed))


def sliced_wasserstein(draws: np.ndarray, test: np.ndarray, settings: SWD, seed: int) -> dict[str, Any]:
    """SWD × 10³ between draws of samples (draws, N, C, H, W) and random test images, by level and their mean.

    Numbers are means over draws, with their sample standard deviations. All draws are compared with the same test
    images, patches and directions, so that a deviation is only that of the samples.
    """
    images = min(settings.images, draws.shape[1], len(test))
    distance_to_test = DistanceTo(
        random_images(test, images, "evaluate/test"), patches=settings.patches, seed=seed, device=default_device()
    )
    means, summary = over_sets(distance_to_test(samples[:images]) for samples in draws)
    return {**summary, "draws": means, "images": images}


def over_sets(found: Iterable[dict[int, float]]) -> tuple[list[float], dict[str, Any]]:
    """The mean over levels of each set's distances; and what swd.json says of all sets, by level and of those means."""
    distances = list(found)
    means, levels = [mean_over_levels(each) for each in distances], by_key(distances)
    return means, {
        "mean": mean(means),
        "standard_deviation": deviation(means),
        "swd": {level: mean(values) for level, values in levels.items()},
        "swd_standard_deviation": {level: deviation(values) for level, values in levels.items()},
    }
