"""A few signed distances, with which portraits are painted, negative inside, in half frames.

Only + − × ÷ √ and comparisons act on pixels, so a portrait has the same bytes in any batch and on any IEEE 754 machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32, and a sample's place in its last two axes


def wave(t: Array) -> Array:
    """A period of 1 between -1 and 1: a sine's shape from two parabolas."""
    t = t - np.rint(t)
    return 8 * t * (1 - 2 * np.abs(t))


def bump(r2: Array) -> Array:
    """A hill over the unit disc, from the squared radius."""
    hill = np.clip(1 - r2, 0, 1)
    return hill * hill


def ellipse(x: Array, y: Array, a: Array | float, b: Array | float) -> Array:
    """Nearly the distance to an ellipse with half axes a and b."""
    x, y = x / a, y / b
    radius = np.sqrt(x * x + y * y)
    x, y = x / a, y / b
    return radius * (radius - 1) / np.sqrt(x * x + y * y + 1e-6)


def dome(x: Array, y: Array, a: Array, b: Array) -> Array:
    """Nearly the distance to half a skull, rounder at the temples than an ellipse; straight walls below y = 0."""
    x, y = x / a, np.minimum(y, 0) / b
    x2, y2 = x * x, y * y
    radius = np.sqrt(np.maximum(x2 + y2 - 0.3 * x2 * y2, 1e-6))
    return (radius - 1) * (a + (b - a) * np.minimum(y2, 1))


def smooth_max(a: Array, b: Array, width: float) -> Array:
    """The larger of two, the corner rounded: the intersection of two shapes."""
    overlap = np.clip(width - np.abs(a - b), 0, width)
    return np.maximum(a, b) + overlap * overlap / (4 * width)


def choose(condition: NDArray[np.bool_], yes: float, no: float) -> Array:
    """One number where a condition holds, another where not, in single precision."""
    return np.where(condition, np.float32(yes), np.float32(no))
