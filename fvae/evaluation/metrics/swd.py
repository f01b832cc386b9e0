"""The sliced Wasserstein distance between random samples and test images."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load
from fvae.evaluation.swd import swd
from fvae.files import read_array
from fvae.params import SWD, Experiment
from fvae.training.machine import default_device


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`sliced_wasserstein` of a run's random samples."""
    images = load(layout.data(experiment_name))
    samples = read_array(run.samples("random"), "sample random", dims=4)
    settings = experiment.evaluation.swd
    return sliced_wasserstein(samples, images.split("train"), images.split("test"), settings, int(run.seed))


def sliced_wasserstein(
    samples: np.ndarray, train: np.ndarray, test: np.ndarray, settings: SWD, seed: int
) -> dict[str, Any]:
    """SWD × 10³ between samples and test images, by level and their mean; that of training images is the floor."""
    images = min(settings.images, len(samples), len(train), len(test))

    def distance(others: np.ndarray) -> dict[str, Any]:
        levels = swd(test[:images], others[:images], patches=settings.patches, seed=seed, device=default_device())
        return {"swd": levels, "mean": float(np.mean(list(levels.values())))}

    return {**distance(samples), "images": images, "training_images": distance(train)}
