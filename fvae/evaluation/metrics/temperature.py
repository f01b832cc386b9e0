"""The sliced Wasserstein distance of samples at several temperatures."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation.swd import DistanceTo, mean_over_levels
from fvae.files import read_array
from fvae.params import Experiment
from fvae.training.machine import default_device


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """SWD × 10³, its mean over levels, between samples at each temperature and test images."""
    test = load(layout.data(experiment_name)).split("test")
    sheets = read_array(run.samples("temperatures"), "sample temperatures", dims=5)
    images, patches = min(sheets.shape[1], len(test)), experiment.evaluation.swd.patches
    distance_to_test = DistanceTo(
        random_images(test, images, "evaluate/test"), patches=patches, seed=int(run.seed), device=default_device()
    )
    distances = [mean_over_levels(distance_to_test(samples[:images])) for samples in sheets]
    temperatures = list(experiment.sampling.temperatures.temperatures)
    return {"temperatures": temperatures, "swd": distances, "images": images}
