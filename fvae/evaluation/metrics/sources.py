"""What the flow adds: the distance to test images of what one decoder makes of latents from each source."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation import SOURCES
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.swd import DistanceTo, mean_over_levels
from fvae.files import read_array
from fvae.params import Experiment, Portraits
from fvae.training.machine import default_device


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """SWD × 10³, its mean over levels, and for drawn portraits the portrait distance, of the images of each source."""
    test = load(layout.data(experiment_name)).split("test")
    sheets = read_array(run.samples("sources"), "sample sources", dims=5)
    images, patches = min(sheets.shape[1], len(test)), experiment.evaluation.swd.patches
    real = random_images(test, images, "evaluate/test")
    distance_to_test = DistanceTo(real, patches=patches, seed=int(run.seed), device=default_device())
    portrait_distance = PortraitDistance(real) if isinstance(experiment.data, Portraits) else None
    return {
        "sources": list(SOURCES[: len(sheets)]),
        "swd": [mean_over_levels(distance_to_test(sheet[:images])) for sheet in sheets],
        "portrait_distance": [portrait_distance(sheet[:images]) for sheet in sheets] if portrait_distance else None,
        "images": images,
    }
