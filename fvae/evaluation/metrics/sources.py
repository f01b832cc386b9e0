"""What the flow adds: the distance to test images of what one decoder makes of latents from each source."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.evaluation import SOURCES
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.swd import mean_over_levels
from fvae.evaluation.to_test_images import distance_to_test
from fvae.params import Experiment, Portraits
from fvae.results import read_samples


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """SWD × 10³, its mean over levels, and for drawn portraits the portrait distance, of the images of each source."""
    sheets = read_samples(run, "sources")
    real, distance = distance_to_test(experiment_name, experiment, run, sheets.shape[1])
    portrait_distance = PortraitDistance(real) if isinstance(experiment.data, Portraits) else None
    compared = [sheet[: len(real)] for sheet in sheets]
    return {
        "sources": list(SOURCES[: len(sheets)]),
        "swd": [mean_over_levels(distance(images)) for images in compared],
        "portrait_distance": [portrait_distance(images) for images in compared] if portrait_distance else None,
        "images": len(real),
    }
