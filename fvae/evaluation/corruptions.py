"""Corruptions of real images at rising strengths: what a distance between images and samples must notice.

Blur, noise and swirls are those of the FID's authors (Heusel et al. 2017); loss of contrast is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

from fvae.seeding import numpy_generator

SWIRLS = 4  # in an image
RADIUS = 0.35  # of a swirl, in half images
REFERENCE_SIDE = 32  # a strength in pixels is that of an image of 32×32

Corrupt = Callable[[np.ndarray, float], np.ndarray]


class Corruption(NamedTuple):
    """A function of uint8 images (N, C, H, W) and a strength, the strengths, and what they are called."""

    apply: Corrupt
    strengths: tuple[float, ...]
    unit: str


def blur(images: np.ndarray, strength: float) -> np.ndarray:
    """Blurred by a Gaussian with a standard deviation in pixels."""
    sigma = strength * images.shape[-1] / REFERENCE_SIDE
    return to_bytes(gaussian_filter(images.astype(np.float32), (0, 0, sigma, sigma)))


def noise(images: np.ndarray, strength: float) -> np.ndarray:
    """With Gaussian noise of a standard deviation in 8-bit levels."""
    drawn = numpy_generator(0, "corruptions/noise").standard_normal(images.shape, np.float32)
    return to_bytes(images + np.float32(strength) * drawn)


def contrast(images: np.ndarray, strength: float) -> np.ndarray:
    """Faded: nearer to the mean colour of all images by a share."""
    mean = images.mean((0, 2, 3), keepdims=True, dtype=np.float32)
    return to_bytes(images + np.float32(strength) * (mean - images))


def swirl(images: np.ndarray, strength: float) -> np.ndarray:
    """With round patches at random places whose middle is turned by an angle in radians, and their rim not at all."""
    n, _, height, width = images.shape
    rng = numpy_generator(0, "corruptions/swirl")
    grid = F.affine_grid(torch.eye(2, 3).expand(n, 2, 3), [n, 1, height, width], align_corners=False).numpy()
    for _ in range(SWIRLS):
        centre = rng.uniform(RADIUS - 1, 1 - RADIUS, (n, 1, 1, 2)).astype(np.float32)
        offset = grid - centre
        inside = (1 - np.linalg.norm(offset, axis=-1) / RADIUS).clip(0)
        angle = strength * inside
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = offset[..., 0], offset[..., 1]
        grid = centre + np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
    pixels = torch.from_numpy(images.astype(np.float32))
    turned = F.grid_sample(
        pixels, torch.from_numpy(grid), mode="bicubic", padding_mode="reflection", align_corners=False
    )
    return to_bytes(turned.numpy())


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Rounded to the nearest of 256 levels."""
    return np.rint(images).clip(0, 255).astype(np.uint8)


def mixed(images: np.ndarray, pool: np.ndarray, share: float) -> np.ndarray:
    """The images with a share of them replaced by images of a pool, which lacks some kinds of images.

    Without repetition where the pool has enough images.
    """
    rng = numpy_generator(0, "corruptions/mixed")
    replaced = rng.permutation(len(images))[: round(share * len(images))]
    drawn = rng.choice(len(pool), len(images), replace=len(pool) < len(images))
    found = np.array(images)
    found[replaced] = pool[np.sort(drawn[: len(replaced)])]
    return found


CORRUPTIONS = {
    "blur": Corruption(blur, (0.3, 0.5, 0.7, 1.0, 1.5, 2.0), "σ in pixels"),
    "noise": Corruption(noise, (2.0, 4.0, 8.0, 16.0, 32.0, 64.0), "σ in levels of 256"),
    "swirl": Corruption(swirl, (0.5, 1.0, 1.5, 2.0, 3.0, 4.0), "turn in radians"),
    "contrast": Corruption(contrast, (0.1, 0.2, 0.3, 0.5, 0.7, 0.9), "share of contrast lost"),
}
SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)  # of images from a pool
