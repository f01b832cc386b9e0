"""The sliced Wasserstein distance between sets of images, by level of a Laplacian pyramid (Karras et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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


class DistanceTo:
    """SWD × 10³ between uint8 images (N, C, H, H) and one set of real ones, whose sorted projections are kept.

    It is zero for equal sets. For two sets from one distribution it falls with N, so that both sets have the same N,
    which must be reported with the number. Raises UserError where the sets differ in shape, or are empty.
    """

    def __init__(
        self,
        real: np.ndarray,
        *,
        patches: int = 128,
        directions: int = 512,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        if not len(real):
            raise UserError("SWD: there are no real images")
        self.shape, self.patches, self.directions = real.shape, patches, directions
        self.seed, self.device = seed, device
        self.real = {level: list(self._projected(level, found)) for level, found in self._descriptors(real).items()}

    def __call__(self, fake: np.ndarray) -> dict[int, float]:
        """The distance by the resolution of the level: {H: …, …, 16: …}."""
        if fake.shape != self.shape:
            raise UserError(f"SWD: sets of the same shape are needed, not {self.shape} and {fake.shape}")
        return {
            level: 1e3 * wasserstein(self.real[level], self._projected(level, found))
            for level, found in self._descriptors(fake).items()
        }

    def _descriptors(self, images: np.ndarray) -> Descriptors:
        return descriptors(images, patches=self.patches, seed=self.seed, device=self.device)

    def _projected(self, level: int, found: Tensor) -> Iterator[Tensor]:
        return sorted_projections(found, self.directions, torch_generator(self.seed, "swd/directions", level))


def mean_over_levels(distances: Mapping[int, float]) -> float:
    """The one number of several levels."""
    return float(np.mean(list(distances.values())))


def descriptors(
    images: np.ndarray, *, patches: int = 128, seed: int, device: torch.device | str = "cpu"
) -> Descriptors:
    """Random 7×7 `patches` of each image and level, normalised: {resolution: (N · patches, C · 49)}, in float32.

    The places of the patches depend on the seed and not on the images.
    """
    batch = max(1, PIXELS_AT_ONCE // (images.shape[2] * images.shape[3]))
    found: dict[int, list[Tensor]] = {}
    for start in range(0, len(images), batch):
        part = torch.from_numpy(np.array(images[start : start + batch])).to(device).float()
        for level in laplacian_pyramid(part):
            generator = torch_generator(seed, "swd/patches", level.shape[2], start)
            found.setdefault(level.shape[2], []).append(random_patches(level, patches, generator))
    return {resolution: normalise(torch.cat(found.pop(resolution))) for resolution in list(found)}


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


def sorted_projections(descriptors: Tensor, directions: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The projections of descriptors (M, D) on random unit directions, each sorted: parts (≤ DIRECTIONS_AT_ONCE, M)."""
    for start in range(0, directions, DIRECTIONS_AT_ONCE):
        drawn = torch.randn(descriptors.shape[1], min(DIRECTIONS_AT_ONCE, directions - start), generator=generator)
        along = F.normalize(drawn, dim=0).T.to(descriptors.device)
        yield sort(along @ descriptors.T)


def wasserstein(a: Iterable[Tensor], b: Iterable[Tensor]) -> float:
    """The mean distance of two sets' `sorted_projections` on the same directions."""
    return float(torch.cat([(ours - theirs).abs().mean(1) for ours, theirs in zip(a, b, strict=True)]).mean())


def sort(rows: Tensor) -> Tensor:
    """Each row in ascending order, in place where it can be.

    On a CPU NumPy is used: it is faster than PyTorch, which also sorts the indices.
    """
    if rows.device.type != "cpu":
        return rows.sort().values
    rows.numpy().sort()
    return rows
