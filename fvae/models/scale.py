"""Learned positive numbers, σ₁ or σ₂, stored as logarithms and, unless their floor is 0, bounded from below."""

from __future__ import annotations

import math
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FLOOR = 1e-3  # an eighth of an 8-bit level; a smaller σ would not improve a likelihood of 8-bit images


class LearnedScale(nn.Module):
    """log σ = log floor + softplus(rate·θ), close to log floor + rate·θ far above it; or rate·θ, for a floor of 0.

    σ is a scalar, or a vector of so many `numbers`. Adam's steps do not depend on the size of a gradient, so `rate` is
    a factor of the learning rate of log σ, which may have a long way to go.
    """

    def __init__(self, floor: float = FLOOR, rate: float = 1.0, numbers: int | None = None) -> None:
        super().__init__()
        self.floor, self.rate = floor, rate
        self.theta = nn.Parameter(torch.empty(() if numbers is None else (numbers,)))
        self.set(1.0)

    @torch.no_grad()
    def set(self, sigma: float | Tensor) -> Self:
        """Set all of σ; a value at or below the floor becomes one just above it, and 0 the smallest positive number."""
        if not self.floor:
            self.theta.fill_(math.log(max(float(sigma), torch.finfo(self.theta.dtype).tiny)) / self.rate)
            return self
        log_excess = math.log(max(float(sigma) / self.floor, 1.001))
        self.theta.fill_(math.log(math.expm1(log_excess)) / self.rate)
        return self

    def log(self) -> Tensor:
        """log σ, a scalar or (numbers,)."""
        scaled = self.rate * self.theta
        return math.log(self.floor) + F.softplus(scaled) if self.floor else scaled

    def forward(self) -> Tensor:
        """σ, a scalar or (numbers,)."""
        return self.log().exp()
