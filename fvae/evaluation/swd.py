"""The sliced Wasserstein distance between sets of images, by level of a Laplacian pyramid (Karras et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fvae.errors import UserError
from fvae.seeding import torch_generator

NEIGHBOURHOOD = 7
COARSEST = 16
REPEATS, DIRECTIONS = 4, 128
BATCH = 512


def swd(real: np.ndarray, fake: np.ndarray, *, patches: int, seed: int) -> dict[int, float]:
    """SWD × 10³ between two sets of uint8 images (N, C, H, W), by the level's resolution: {H: …, …, 16: …}.

    7×7 `patches` an image and level, normalised by channel, projected on 4 × 128 random directions. Zero for a
    set and itself; of two sets of one distribution it falls with N. Raises UserError where the sets differ in shape.
    """
    if real.shape != fake.shape:
        raise UserError(f"SWD: sets of the same shape are needed, not {real.shape} and {fake.shape}")
    ours, theirs = (descriptors(images, patches, seed) for images in (real, fake))
    return {
        level: 1e3 * wasserstein(normalise(ours[level]), normalise(theirs[level]), seed, level)
        for level in sorted(ours)[::-1]
    }


def descriptors(images: np.ndarray, patches: int, seed: int) -> dict[int, Tensor]:
    """Random patches of each level of the pyramid, {resolution: (N · patches, C, 7, 7)}; their places by the seed."""
    found: dict[int, list[Tensor]] = {}
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH])).float()
        for level in laplacian_pyramid(batch):
            generator = torch_generator(seed, "swd/patches", level.shape[2], start)
            found.setdefault(level.shape[2], []).append(random_patches(level, patches, generator))
    return {resolution: torch.cat(parts) for resolution, parts in found.items()}


def laplacian_pyramid(images: Tensor) -> Iterator[Tensor]:
    """Differences of successive levels from the finest, then the coarsest level itself, which is 16 pixels high."""
    while images.shape[2] > COARSEST:
        smaller = pyramid_down(images)
        yield images - pyramid_up(smaller)
        images = smaller
    yield images


def blur(images: Tensor, gain: float) -> Tensor:
    """The binomial 5×5 filter, borders mirrored."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = (gain * torch.outer(row, row)).expand(images.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=images.shape[1])


def pyramid_down(images: Tensor) -> Tensor:
    """Half the resolution."""
    return blur(images, 1.0)[:, :, ::2, ::2]


def pyramid_up(images: Tensor) -> Tensor:
    """Twice the resolution."""
    n, channels, height, width = images.shape
    spread = images.new_zeros(n, channels, 2 * height, 2 * width)
    spread[:, :, ::2, ::2] = images
    return blur(spread, 4.0)


def random_patches(images: Tensor, patches: int, generator: torch.Generator) -> Tensor:
    """`patches` 7×7 patches of each image, whole patches only: (N · patches, C, 7, 7)."""
    n, channels, height, width = images.shape
    windows = images.unfold(2, NEIGHBOURHOOD, 1).unfold(3, NEIGHBOURHOOD, 1)
    y = torch.randint(height - NEIGHBOURHOOD + 1, (n, patches), generator=generator)
    x = torch.randint(width - NEIGHBOURHOOD + 1, (n, patches), generator=generator)
    chosen = windows[torch.arange(n)[:, None], :, y, x]
    return chosen.reshape(n * patches, channels, NEIGHBOURHOOD, NEIGHBOURHOOD)


def normalise(patches: Tensor) -> Tensor:
    """Zero mean and unit variance in each channel over the whole set, flattened: (M, C · 49)."""
    std, mean = torch.std_mean(patches, dim=(0, 2, 3), keepdim=True, correction=0)
    return ((patches - mean) / std.clamp_min(1e-8)).flatten(1)


def wasserstein(a: Tensor, b: Tensor, seed: int, level: int) -> float:
    """The mean distance of sorted projections on random directions."""
    generator = torch_generator(seed, "swd/directions", level)
    distances = []
    for _ in range(REPEATS):
        directions = F.normalize(torch.randn(a.shape[1], DIRECTIONS, generator=generator), dim=0)
        ours, theirs = ((patches @ directions).T.sort(1).values for patches in (a, b))
        distances.append((ours - theirs).abs().mean())
    return float(torch.stack(distances).mean())
