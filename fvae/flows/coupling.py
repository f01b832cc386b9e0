"""Coupling layers, equations (2) and (3): half of the channels decide a shift, and a scale, of the others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fvae.flows.conv import Conv1x1, Conv3x3, zero_start
from fvae.flows.layer import Layer, soft_clamp


def coupling_network(channels_in: int, width: int, channels_out: int) -> nn.Sequential:
    """Conv3×3 → ReLU → Conv1×1 → ReLU → Conv3×3 that starts at zero, so that the coupling starts at the identity."""
    return nn.Sequential(
        Conv3x3(channels_in, width),
        nn.ReLU(inplace=True),
        Conv1x1(width, width),
        nn.ReLU(inplace=True),
        zero_start(Conv3x3(width, channels_out)),
    )


class AdditiveCoupling(Layer):
    """y1 = x1, y2 = x2 + t(x1)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.network = coupling_network(channels // 2, width, channels - channels // 2)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The half that stays and the half that moves."""
        half = x.shape[1] // 2
        return x[:, :half], x[:, half:]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | float]:
        x1, x2 = self.split(x)
        return torch.cat([x1, x2 + self.network(x1).to(x2.dtype)], 1), 0.0

    def inverse(self, y: Tensor) -> Tensor:
        y1, y2 = self.split(y)
        return torch.cat([y1, y2 - self.network(y1).to(y2.dtype)], 1)


class AffineCoupling(AdditiveCoupling):
    """y1 = x1, y2 = s(x1) ⊗ x2 + t(x1), with log s softly clamped to ±2; log|det| = Σ log s."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width)
        self.network = coupling_network(channels // 2, width, 2 * (channels - channels // 2))

    def scale_and_shift(self, x1: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """log s(x1) and t(x1)."""
        log_s, t = self.network(x1).to(dtype).chunk(2, 1)
        return soft_clamp(log_s), t

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x1, x2 = self.split(x)
        log_s, t = self.scale_and_shift(x1, x2.dtype)
        return torch.cat([x1, torch.addcmul(t, x2, log_s.exp())], 1), log_s.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        y1, y2 = self.split(y)
        log_s, t = self.scale_and_shift(y1, y2.dtype)
        return torch.cat([y1, (y2 - t) * (-log_s).exp()], 1)


COUPLINGS: dict[str, type[AdditiveCoupling]] = {"additive": AdditiveCoupling, "affine": AffineCoupling}
