"""The sliced Wasserstein distance of samples at several temperatures."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.evaluation.swd import mean_over_levels
from fvae.evaluation.to_test_images import distance_to_test
from fvae.params import Experiment
from fvae.results import read_samples


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """SWD × 10³, its mean over levels, between samples at each temperature and test images."""
    sheets = read_samples(run, "temperatures")
    real, distance = distance_to_test(experiment_name, experiment, run, sheets.shape[1])
    distances = [mean_over_levels(distance(samples[: len(real)])) for samples in sheets]
    temperatures = list(experiment.sampling.temperatures.temperatures)
    return {"temperatures": temperatures, "swd": distances, "images": len(real)}
