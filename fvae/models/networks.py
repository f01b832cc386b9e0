"""The encoder E and the decoder network G of the authors' code: residual steps between (un)squeezes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from fvae.flows.conv import Conv1x1, Conv3x3, zero_start
from fvae.flows.squeeze import squeeze, unsqueeze

Latent = Literal["full"] | int  # "full": as many dimensions as the image; else the number of channels


class ResidualStep(nn.Module):
    """x + Conv1×1(ReLU(BatchNorm(Conv3×3(x)))), which starts as the identity."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = max(1, round(channels * expansion))
        self.network = nn.Sequential(
            Conv3x3(channels, hidden),
            nn.BatchNorm2d(hidden, momentum=0.01, eps=1e-3),  # Keras's defaults
            nn.ReLU(inplace=True),
            zero_start(Conv1x1(hidden, channels)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H, W)."""
        return x + self.network(x).to(x.dtype)


def residual_steps(channels: int, steps: int, expansion: float) -> nn.Sequential:
    """The steps of a level."""
    return nn.Sequential(*(ResidualStep(channels, expansion) for _ in range(steps)))


class Encoder(nn.Module):
    """E: levels of [squeeze, residual steps], (N, C, H, W) → (N, C·4^levels, H/2^levels, W/2^levels).

    For a latent of k channels a 1×1 convolution follows, with orthonormal rows at the start: d = k·H·W/4^levels < D.
    """

    def __init__(self, channels: int, levels: int, steps: int, expansion: float, latent: Latent = "full") -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            residual_steps(channels * 4**level, steps, expansion) for level in range(1, levels + 1)
        )
        self.reduce = nn.Identity() if latent == "full" else Conv1x1(channels * 4**levels, latent)
        if isinstance(self.reduce, Conv1x1):
            nn.init.orthogonal_(self.reduce.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x → E(x)."""
        for steps in self.levels:
            x = steps(squeeze(x))
        return self.reduce(x).to(x.dtype)


class Decoder(nn.Module):
    """G: the mirror of E, levels of [residual steps, unsqueeze], then tanh."""

    def __init__(self, channels: int, levels: int, steps: int, expansion: float, latent: Latent = "full") -> None:
        super().__init__()
        self.widen = nn.Identity() if latent == "full" else Conv1x1(latent, channels * 4**levels)
        self.levels = nn.ModuleList(
            residual_steps(channels * 4**level, steps, expansion) for level in range(levels, 0, -1)
        )

    def forward(self, v: Tensor) -> Tensor:
        """v → G(v), an image in (-1, 1)."""
        v = self.widen(v).to(v.dtype)
        for steps in self.levels:
            v = unsqueeze(steps(v))
        return v.tanh()

    @torch.no_grad()
    def mirror(self, encoder: Encoder) -> None:
        """Start from the transpose of E's reduction, so that G(E(x)) is at first tanh of a projection of x."""
        if isinstance(self.widen, Conv1x1) and isinstance(encoder.reduce, Conv1x1):
            self.widen.weight.copy_(encoder.reduce.weight.transpose(0, 1))


def encoded_shape(shape: tuple[int, int, int], levels: int, latent: Latent = "full") -> tuple[int, int, int]:
    """The shape of E(x). Raises ValueError where the levels or the latent do not fit the image."""
    channels, rows, columns = shape
    if rows % 2**levels or columns % 2**levels:
        raise ValueError(f"{levels} levels of an encoder do not divide {rows}×{columns}")
    full = channels * 4**levels
    if latent != "full" and latent >= full:
        raise ValueError(f"a latent of {latent} channels is no smaller than the image, {full} there; say full")
    return full if latent == "full" else latent, rows // 2**levels, columns // 2**levels
