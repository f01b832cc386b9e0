"""A learned positive scalar, σ₁ or σ₂, stored as a logarithm and bounded from below."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FLOOR = 1e-3  # an eighth of an 8-bit level; a smaller σ would not improve a likelihood of 8-bit images


class LearnedScale(nn.Module):
    """log σ = log FLOOR + softplus(θ), which is close to log FLOOR + θ where σ is far above the floor."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.empty(()))
        self.set(1.0)

    @torch.no_grad()
    def set(self, sigma: float | Tensor) -> None:
        """Set σ; a value at or below the floor becomes one just above it."""
        log_excess = math.log(max(float(sigma) / FLOOR, 1.001))
        self.theta.fill_(math.log(math.expm1(log_excess)))

    def log(self) -> Tensor:
        """log σ, a scalar."""
        return math.log(FLOOR) + F.softplus(self.theta)

    def forward(self) -> Tensor:
        """σ, a scalar."""
        return self.log().exp()
