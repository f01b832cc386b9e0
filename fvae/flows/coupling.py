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


class Coupling(Layer):
    """y1 = x1, and x2 moved by what a network says of x1."""

    def __init__(self, channels: int, width: int, outputs: int) -> None:
        super().__init__()
        self.kept = channels // 2
        self.network = coupling_network(self.kept, width, outputs * (channels - self.kept))

    def move(self, x2: Tensor, h: Tensor) -> tuple[Tensor, Tensor | float]:
        """y2 and log|det|, h the network's output."""
        raise NotImplementedError

    def move_back(self, y2: Tensor, h: Tensor) -> Tensor:
        """x2."""
        raise NotImplementedError

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The half that stays and the half that moves."""
        return x[:, : self.kept], x[:, self.kept :]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | float]:
        x1, x2 = self.split(x)
        y2, logdet = self.move(x2, self.network(x1).to(x2.dtype))
        return torch.cat([x1, y2], 1), logdet

    def inverse(self, y: Tensor) -> Tensor:
        y1, y2 = self.split(y)
        return torch.cat([y1, self.move_back(y2, self.network(y1).to(y2.dtype))], 1)

    def recompute(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor | float]:
        """As every layer's, with the network evaluated once: it sees the half of x that is known from the start."""
        y1, y2 = self.split(y)
        x = torch.empty_like(y).requires_grad_()
        x1, x2 = self.split(x)
        x1.data.copy_(y1)
        h = self.network(x1).to(y2.dtype)
        x2.data.copy_(self.move_back(y2, h.detach()))
        again, logdet = self.move(x2, h)
        return x, torch.cat([x1, again], 1), logdet


class AdditiveCoupling(Coupling):
    """y1 = x1, y2 = x2 + t(x1)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, outputs=1)

    def move(self, x2: Tensor, h: Tensor) -> tuple[Tensor, float]:
        return x2 + h, 0.0

    def move_back(self, y2: Tensor, h: Tensor) -> Tensor:
        return y2 - h


class AffineCoupling(Coupling):
    """y1 = x1, y2 = s(x1) ⊗ x2 + t(x1), with log s softly clamped to ±2; log|det| = Σ log s."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, outputs=2)

    def move(self, x2: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        log_s, t = h.chunk(2, 1)
        log_s = soft_clamp(log_s)
        return torch.addcmul(t, x2, log_s.exp()), log_s.flatten(1).sum(1)

    def move_back(self, y2: Tensor, h: Tensor) -> Tensor:
        log_s, t = h.chunk(2, 1)
        return (y2 - t) * (-soft_clamp(log_s)).exp()


COUPLINGS: dict[str, type[Layer]] = {"additive": AdditiveCoupling, "affine": AffineCoupling}
