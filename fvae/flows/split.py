"""Split with a conditional actnorm: the half that stays determines how the half that leaves is normalised."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fvae.flows.conv import Conv3x3, zero_start
from fvae.flows.layer import soft_clamp

BOUND = 4.0  # of the log-scale, which is unbounded in the authors' code


class Split(nn.Module):
    """x → (x1, z2), z2 = exp(log_s(x1)) ⊗ x2 + t(x1): the authors' CondActnorm, in the place of Glow's split prior."""

    def __init__(self, channels: int, bound: float | None = BOUND) -> None:
        super().__init__()
        self.bound = bound
        self.kept = channels // 2
        self.network = zero_start(Conv3x3(self.kept, 2 * (channels - self.kept)))

    def scale_and_shift(self, x1: Tensor) -> tuple[Tensor, Tensor]:
        """log_s(x1), softly clamped to the bound if there is one, and t(x1)."""
        log_s, t = self.network(x1).to(x1.dtype).chunk(2, 1)
        return soft_clamp(log_s, self.bound), t

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x1, which stays; z2, which leaves; and the log-determinant, (N,)."""
        x1, x2 = x.split([self.kept, x.shape[1] - self.kept], 1)
        log_s, t = self.scale_and_shift(x1)
        return x1, torch.addcmul(t, x2, log_s.exp()), log_s.sum((1, 2, 3))

    def inverse(self, x1: Tensor, z2: Tensor) -> Tensor:
        """(x1, z2) → x."""
        log_s, t = self.scale_and_shift(x1)
        return torch.cat([x1, (z2 - t) * (-log_s).exp()], 1)
