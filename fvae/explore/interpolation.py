"""The tab Interpolate: images between two, three or four, on a path through them or on a grid among four."""

from __future__ import annotations

import numpy as np

from fvae.errors import UserError
from fvae.explore.pictures import grid
from fvae.library import TrainedModel


def interpolation(trained: TrainedModel, images: np.ndarray, steps: int, form: str) -> np.ndarray:
    """Decoded images between the latents of real ones (N, 3, H, W): uint8 (H', W', 4).

    `form` is path, with a row from each image to the next, or grid, with four images in the corners. Raises UserError
    where there are fewer than two images, or not four for a grid.
    """
    weights = grid_weights(len(images), steps) if form == "grid" else path_weights(len(images), steps)
    return grid(trained.decode(weights @ trained.encode(images)), steps)


def path_weights(n: int, steps: int) -> np.ndarray:
    """How much of each of n latents is in each image of a path: float32 ((n - 1) · steps, n), rows of sum 1."""
    if n < 2:
        raise UserError("choose at least two images")
    t = np.linspace(0, 1, steps, dtype=np.float32)
    weights = np.zeros((n - 1, steps, n), np.float32)
    for leg in range(n - 1):
        weights[leg, :, leg], weights[leg, :, leg + 1] = 1 - t, t
    return weights.reshape(-1, n)


def grid_weights(n: int, steps: int) -> np.ndarray:
    """How much of each of four latents is in each image of a grid: float32 (steps², 4), rows of sum 1."""
    if n != 4:
        raise UserError("a grid needs four images, one for each corner")
    t = np.linspace(0, 1, steps, dtype=np.float32)
    down, across = (part.reshape(-1) for part in np.meshgrid(t, t, indexing="ij"))
    return np.stack([(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across], axis=1)
