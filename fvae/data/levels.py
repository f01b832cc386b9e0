"""Levels of pixels of 8 or fewer bits, each named by the lowest of the 256 that it stands for."""

from __future__ import annotations

import numpy as np


def width(bits: int) -> int:
    """The width of one of 2^bits levels, in levels of 256."""
    return 1 << (8 - bits)


def coarse(pixels: np.ndarray, bits: int) -> np.ndarray:
    """uint8 images with 2^bits levels, each at the lowest of the 256 that it stands for."""
    return pixels if bits == 8 else pixels - pixels % width(bits)
