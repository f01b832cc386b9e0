"""The tab Reconstruct: an image, what a model makes of its latent, the difference, and where its bits are."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae.explore.bits_map import bits_map
from fvae.explore.pictures import data_url, heat
from fvae.library import TrainedModel

LOW, HIGH = 2, 12  # bits/dim at the ends of the map's colours, the same for all models
CONTRAST = 4  # by which a difference is multiplied around grey


def reconstruction(trained: TrainedModel, image: np.ndarray) -> dict[str, Any]:
    """What the page shows of an image, uint8 (3, H, W), as JSON with images as data URLs."""
    again = trained.reconstruct(image)[0]
    difference = again.astype(int) - image
    bits = bits_map(trained, image)
    return {
        "reconstruction": data_url(again),
        "difference": data_url((128 + CONTRAST * difference).clip(0, 255).astype(np.uint8)),
        "map": data_url(heat(bits.pixels, LOW, HIGH)),
        "mean_difference": float(np.abs(difference).mean()),
        "bits": bits.total,
        "bits_of_the_latent": bits.latent,
        "exact": trained.model.exact,
    }


def legend() -> str:
    """The colours of the map from LOW to HIGH, as a data URL."""
    return data_url(heat(np.linspace(LOW, HIGH, 128)[None].repeat(4, 0), LOW, HIGH))
