"""The grain: the sliced Wasserstein distance of samples without and with the noise of q(x|z), by level."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation.swd import DistanceTo
from fvae.files import read_array
from fvae.params import Experiment
from fvae.training.machine import default_device


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """SWD × 10³ by level between test images and decoded means, and between test images and draws of q(x|z)."""
    test = load(layout.data(experiment_name)).split("test")
    sheets = read_array(run.samples("grain"), "sample grain", dims=5)
    images, patches = min(sheets.shape[1], len(test)), experiment.evaluation.swd.patches
    real = random_images(test, images, "evaluate/test")
    distance_to_test = DistanceTo(real, patches=patches, seed=int(run.seed), device=default_device())
    without, with_noise = (distance_to_test(sheet[:images]) for sheet in sheets)
    return {"without_noise": without, "with_noise": with_noise, "images": images}
