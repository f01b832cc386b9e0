"""An ordinary convolutional encoder E and decoder G: blocks between strided convolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from fvae.flows.conv import Conv1x1, Conv3x3, keras_start, zero_start
from fvae.flows.squeeze import squeeze, unsqueeze
from fvae.networks.base import Encoder, Latent, Shape, latent_shape
from fvae.networks.blocks import GROUPS, Doubling, level_of


class ConvEncoder(Encoder):
    """E: squeeze, and a level of blocks at each of H/2, H/4, …, with a strided convolution between two levels.

    A 1×1 convolution, or a dense layer for a dense latent, gives E(x). Raises ValueError where the levels or the latent
    do not fit the image.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        channels: Sequence[int],
        blocks: int,
        expansion: float,
        latent: Latent,
        block: str = "residual",
    ) -> None:
        super().__init__(latent_shape(shape, len(channels), latent))
        self.first = Conv3x3(4 * shape[0], channels[0])
        self.levels = nn.ModuleList(level_of(block, each, blocks, expansion) for each in channels)
        self.down = nn.ModuleList(Halving(*pair) for pair in pairwise(channels))
        self.norm = nn.GroupNorm(GROUPS, channels[-1])
        self.dense = isinstance(latent, Mapping)
        pixels = (shape[1] * shape[2]) // 4 ** len(channels)
        self.width = channels[-1] * pixels if self.dense else channels[-1]  # of the features
        self.last = Conv1x1(self.width, self.shape[0])

    def features(self, x: Tensor) -> Tensor:
        x = self.levels[0](self.first(squeeze(x)))
        for down, level in zip(self.down, self.levels[1:], strict=True):
            x = level(down(x))
        x = F.silu(self.norm(x))
        return x.flatten(1)[:, :, None, None] if self.dense else x

    def mean(self, features: Tensor) -> Tensor:
        return self.last(features).to(self.last.weight.dtype)

    def head(self, channels: int | None = None) -> nn.Module:
        return zero_start(Conv1x1(self.width, channels or self.shape[0]))


class Halving(nn.Conv2d):
    """A 3×3 convolution with stride 2."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 3, stride=2, padding=1)
        keras_start(self)


class ConvDecoder(nn.Module):
    """G: the mirror of E; after each level a convolution and an unsqueeze double the image."""

    def __init__(
        self,
        shape: Shape,
        *,
        channels: Sequence[int],
        blocks: int,
        expansion: float,
        latent: Latent,
        block: str = "residual",
    ) -> None:
        super().__init__()
        reduced = latent_shape(shape, len(channels), latent)
        rows, columns = shape[1] // 2 ** len(channels), shape[2] // 2 ** len(channels)
        self.coarsest = (channels[-1], rows, columns)
        self.dense = isinstance(latent, Mapping)
        self.first = Conv1x1(reduced[0], channels[-1] * rows * columns if self.dense else channels[-1])
        upward = list(reversed(channels))
        self.levels = nn.ModuleList(level_of(block, each, blocks, expansion) for each in upward)
        self.up = nn.ModuleList(Doubling(*pair, repeat=block == "pggan") for pair in pairwise(upward))
        self.norm = nn.GroupNorm(GROUPS, channels[0])
        self.last = Conv3x3(channels[0], 4 * shape[0])

    def forward(self, v: Tensor) -> Tensor:
        """v → G(v), an image; nothing keeps it within [-1, 1]."""
        x = self.first(v)
        x = x.flatten(1).unflatten(1, self.coarsest) if self.dense else x
        for level, up in zip(self.levels, self.up, strict=False):
            x = up(level(x))
        x = F.silu(self.norm(self.levels[-1](x)))
        return unsqueeze(self.last(x)).to(v.dtype)

    def mirror(self, encoder: Encoder) -> None:
        """Nothing: G does not start from E."""
