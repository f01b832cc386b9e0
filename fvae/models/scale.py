"""A learned positive scalar, σ₁ or σ₂, kept as a log-scale above a floor."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FLOOR = 1e-3  # an eighth of an 8-bit level: a likelihood cannot gain below it


class LearnedScale(nn.Module):
    """log σ = log FLOOR + softplus(θ): all but θ itself where σ is far above the floor."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.empty(()))
        self.set(1.0)

    @torch.no_grad()
    def set(self, sigma: float | Tensor) -> None:
        """Start at σ, just above the floor at least."""
        log_excess = math.log(max(float(sigma) / FLOOR, 1.001))
        self.theta.fill_(math.log(math.expm1(log_excess)))

    def log(self) -> Tensor:
        """log σ, a scalar."""
        return math.log(FLOOR) + F.softplus(self.theta)

    def forward(self) -> Tensor:
        """σ, a scalar."""
        return self.log().exp()
