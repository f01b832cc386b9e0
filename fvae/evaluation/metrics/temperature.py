"""The sliced Wasserstein distance of samples at several temperatures."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load
from fvae.evaluation.swd import swd
from fvae.files import read_array
from fvae.params import Experiment
from fvae.training.machine import default_device


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """SWD × 10³, its mean over levels, between samples at each temperature and test images."""
    test = load(layout.data(experiment_name)).split("test")
    sheets = read_array(run.samples("temperatures"), "sample temperatures", dims=5)
    images, device, patches = min(sheets.shape[1], len(test)), default_device(), experiment.evaluation.swd.patches
    levels = [
        swd(test[:images], samples[:images], patches=patches, seed=int(run.seed), device=device) for samples in sheets
    ]
    distances = [float(np.mean(list(level.values()))) for level in levels]
    temperatures = list(experiment.sampling.temperatures.temperatures)
    return {"temperatures": temperatures, "swd": distances, "images": images}
