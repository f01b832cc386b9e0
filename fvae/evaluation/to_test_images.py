"""Random test images, and the sliced Wasserstein distance to them, for the metrics of figures."""

from __future__ import annotations

import numpy as np

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation.swd import DistanceTo
from fvae.params import Experiment
from fvae.training.machine import default_device


def distance_to_test(
    experiment_name: str, experiment: Experiment, run: layout.Run, samples: int
) -> tuple[np.ndarray, DistanceTo]:
    """As many random test images as there are samples, or all of them where there are fewer, and SWD to them."""
    test = load(layout.data(experiment_name)).split("test")
    real = random_images(test, min(samples, len(test)), "evaluate/test")
    patches = experiment.evaluation.swd.patches
    return real, DistanceTo(real, patches=patches, seed=int(run.seed), device=default_device())
