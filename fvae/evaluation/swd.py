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
DIRECTIONS_AT_ONCE = 128
PIXELS_AT_ONCE = 2**19
Descriptors = dict[int, Tensor]


def swd(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    patches: int = 128,
    directions: int = 512,
    seed: int,
    device: torch.device | str = "cpu",
) -> dict[int, float]:
    """SWD × 10³ between two sets of uint8 images (N, C, H, H), by the resolution of the level: {H: …, …, 16: …}.

    It is zero for equal sets. For two sets from one distribution it falls with N, so that both sets have the same N,
    which must be reported with the number. Raises UserError where the sets differ in shape.
    """
    if real.shape != fake.shape or not len(real):
        raise UserError(f"SWD: sets of the same shape are needed, not {real.shape} and {fake.shape}")
    ours, theirs = (descriptors(images, patches=patches, seed=seed, device=device) for images in (real, fake))
    return distance(ours, theirs, directions=directions, seed=seed)


def descriptors(
    images: np.ndarray, *, patches: int = 128, seed: int, device: torch.device | str = "cpu"
) -> Descriptors:
    """Random 7×7 `patches` of each image and level, normalised: {resolution: (N · patches, C · 49)}, in float32.

    The places of the patches depend on the seed and not on the images, so that the descriptors of one set can be kept
    and compared with those of many.
    """
    batch = max(1, PIXELS_AT_ONCE // (images.shape[2] * images.shape[3]))
    found: dict[int, list[Tensor]] = {}
    for start in range(0, len(images), batch):
        part = torch.from_numpy(np.array(images[start : start + batch])).to(device).float()
        for level in laplacian_pyramid(part):
            generator = torch_generator(seed, "swd/patches", level.shape[2], start)
            found.setdefault(level.shape[2], []).append(random_patches(level, patches, generator))
    return {resolution: normalise(torch.cat(found.pop(resolution))) for resolution in list(found)}


def distance(real: Descriptors, fake: Descriptors, *, directions: int = 512, seed: int) -> dict[int, float]:
    """SWD × 10³ by resolution between the descriptors of two sets of the same size."""
    return {
        level: 1e3 * wasserstein(real[level], fake[level], directions, torch_generator(seed, "swd/directions", level))
        for level in real
    }


def laplacian_pyramid(images: Tensor) -> Iterator[Tensor]:
    """The differences of successive levels from the finest on, then the coarsest level itself.

    The coarsest level is the one that cannot be halved to at least 16 whole pixels.
    """
    while images.shape[2] % 2 == 0 and images.shape[2] // 2 >= COARSEST:
        smaller = pyramid_down(images)
        yield images - pyramid_up(smaller)
        images = smaller
    yield images


def blur(images: Tensor, gain: float) -> Tensor:
    """The binomial 5×5 filter with mirrored borders, times `gain`."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=images.device) / 16
    kernel = (gain * torch.outer(row, row)).expand(images.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(images, (2, 2, 2, 2), mode="reflect"), kernel, groups=images.shape[1])


def pyramid_down(images: Tensor) -> Tensor:
    """The image at half its resolution."""
    return blur(images, 1.0)[:, :, ::2, ::2]


def pyramid_up(images: Tensor) -> Tensor:
    """The image at twice its resolution."""
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
    image = torch.arange(n)[:, None]
    chosen = windows[image.to(images.device), :, y.to(images.device), x.to(images.device)]
    return chosen.reshape(n * patches, channels, NEIGHBOURHOOD, NEIGHBOURHOOD)


def normalise(patches: Tensor) -> Tensor:
    """Zero mean and unit variance in each channel over the whole set, flattened: (M, C · 49). Works in place."""
    std, mean = torch.std_mean(patches, dim=(0, 2, 3), keepdim=True, correction=0)
    return patches.sub_(mean).div_(std.clamp_min(1e-8)).flatten(1)


def wasserstein(a: Tensor, b: Tensor, directions: int, generator: torch.Generator) -> float:
    """The mean distance of the sorted projections of (M, D) and (M, D) on random unit directions."""
    distances = []
    for start in range(0, directions, DIRECTIONS_AT_ONCE):
        drawn = torch.randn(a.shape[1], min(DIRECTIONS_AT_ONCE, directions - start), generator=generator)
        along = F.normalize(drawn, dim=0).T.to(a.device)
        distances.append((sort(along @ a.T) - sort(along @ b.T)).abs().mean(1))
    return float(torch.cat(distances).mean())


def sort(rows: Tensor) -> Tensor:
    """Each row in ascending order. On a CPU NumPy is used: it is faster than PyTorch, which also sorts the indices."""
    return torch.from_numpy(np.sort(rows.numpy())) if rows.device.type == "cpu" else rows.sort().values
