"""A learned positive scalar, σ₁ or σ₂, stored as a logarithm and, unless its floor is 0, bounded from below."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FLOOR = 1e-3  # an eighth of an 8-bit level; a smaller σ would not improve a likelihood of 8-bit images


class LearnedScale(nn.Module):
    """log σ = log floor + softplus(θ), close to log floor + θ where σ is far above it; or θ, for a floor of 0."""

    def __init__(self, floor: float = FLOOR) -> None:
        super().__init__()
        self.floor = floor
        self.theta = nn.Parameter(torch.empty(()))
        self.set(1.0)

    @torch.no_grad()
    def set(self, sigma: float | Tensor) -> None:
        """Set σ; a value at or below the floor becomes one just above it, and 0 the smallest positive number."""
        if not self.floor:
            self.theta.fill_(math.log(max(float(sigma), torch.finfo(self.theta.dtype).tiny)))
            return
        log_excess = math.log(max(float(sigma) / self.floor, 1.001))
        self.theta.fill_(math.log(math.expm1(log_excess)))

    def log(self) -> Tensor:
        """log σ, a scalar."""
        return math.log(self.floor) + F.softplus(self.theta) if self.floor else self.theta

    def forward(self) -> Tensor:
        """σ, a scalar."""
        return self.log().exp()
