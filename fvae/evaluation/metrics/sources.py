"""What the flow adds: the distance to test images of what one decoder makes of latents from each source."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load
from fvae.evaluation.latent_sources import SOURCES
from fvae.evaluation.swd import swd
from fvae.files import read_array
from fvae.params import Experiment
from fvae.training.machine import default_device


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """SWD × 10³, its mean over levels, of the images of each source."""
    test = load(layout.data(experiment_name)).split("test")
    sheets = read_array(run.samples("sources"), "sample sources", dims=5)
    images, device, patches = min(sheets.shape[1], len(test)), default_device(), experiment.evaluation.swd.patches
    levels = [
        swd(test[:images], sheet[:images], patches=patches, seed=int(run.seed), device=device) for sheet in sheets
    ]
    return {
        "sources": list(SOURCES[: len(sheets)]),
        "swd": [float(np.mean(list(level.values()))) for level in levels],
        "images": images,
    }
