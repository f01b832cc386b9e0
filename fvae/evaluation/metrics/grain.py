"""The grain: the sliced Wasserstein distance of samples without and with the noise of q(x|z), by level."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.evaluation.to_test_images import distance_to_test
from fvae.params import Experiment
from fvae.results import read_samples


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """SWD × 10³ by level between test images and decoded means, and between test images and draws of q(x|z)."""
    sheets = read_samples(run, "grain")
    real, distance = distance_to_test(experiment_name, experiment, run, sheets.shape[1])
    without_noise, with_noise = (distance(sheet[: len(real)]) for sheet in sheets)
    return {"without_noise": without_noise, "with_noise": with_noise, "images": len(real)}
