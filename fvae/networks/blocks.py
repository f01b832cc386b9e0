"""Blocks of convolutions that keep the size of an image, and how a decoder doubles it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from fvae.flows.conv import Conv1x1, Conv3x3, zero_start
from fvae.flows.squeeze import unsqueeze

GROUPS = 8  # of each GroupNorm; numbers of channels are multiples of it


class ResidualBlock(nn.Module):
    """x + Conv3×3(SiLU(Conv3×3(SiLU(GroupNorm(x))))), which starts as the identity (He et al. 2016, pre-activation)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.GroupNorm(GROUPS, channels),
            nn.SiLU(inplace=True),
            Conv3x3(channels, hidden),
            nn.SiLU(inplace=True),
            *self.back(channels, hidden),
        )

    @staticmethod
    def back(channels: int, hidden: int) -> list[nn.Module]:
        """What leads from the hidden channels back to those of x, and is zero at the start."""
        return [zero_start(Conv3x3(hidden, channels))]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H, W)."""
        return x + self.network(x)


class NetworkInNetwork(ResidualBlock):
    """The same with one 3×3 convolution, and a network of two 1×1 convolutions at each pixel (Lin et al. 2014)."""

    @staticmethod
    def back(channels: int, hidden: int) -> list[nn.Module]:
        return [Conv1x1(hidden, hidden), nn.SiLU(inplace=True), zero_start(Conv1x1(hidden, channels))]


class PixelNormPair(nn.Module):
    """Twice Conv3×3, leaky ReLU, pixel norm, without a skip connection, as in PGGAN (Karras et al. 2018)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.first, self.second = Conv3x3(channels, hidden), Conv3x3(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H, W)."""
        for conv in (self.first, self.second):
            x = pixel_norm(F.leaky_relu(conv(x), 0.2))
        return x


def pixel_norm(x: Tensor) -> Tensor:
    """Each pixel's channels divided by their root mean square."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class Doubling(nn.Module):
    """Twice the rows and columns: a 1×1 convolution and an unsqueeze; or repeated pixels, as in PGGAN."""

    def __init__(self, channels_in: int, channels_out: int, *, repeat: bool) -> None:
        super().__init__()
        self.repeat = repeat
        self.conv = Conv1x1(channels_in, channels_out if repeat else 4 * channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C', 2H, 2W)."""
        x = self.conv(x)
        return F.interpolate(x, scale_factor=2, mode="nearest") if self.repeat else unsqueeze(x)


BLOCKS = {"residual": ResidualBlock, "network_in_network": NetworkInNetwork, "pggan": PixelNormPair}


def level_of(kind: str, channels: int, blocks: int, expansion: float) -> nn.Sequential:
    """A level of blocks, with `expansion` times as many channels within each."""
    hidden = max(1, round(channels * expansion))
    return nn.Sequential(*(BLOCKS[kind](channels, hidden) for _ in range(blocks)))
