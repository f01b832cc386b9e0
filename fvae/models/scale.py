"""A learned positive scalar, σ₁ or σ₂, kept as a log-scale above a floor."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIGMA1_START = 0.5
FLOOR = 1e-3  # an eighth of an 8-bit level: a likelihood cannot gain below it


class LearnedScale(nn.Module):
    """log σ = log FLOOR + softplus(θ): all but θ itself where σ is far above the floor."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.empty(()))
        self.set(1.0)

    @torch.no_grad()
    def set(self, sigma: float | Tensor) -> None:
        """Start at σ."""
        log_excess = (torch.as_tensor(sigma, dtype=self.theta.dtype) / FLOOR).log().clamp_min(1e-3)
        self.theta.copy_(log_excess.expm1().log())

    def log(self) -> Tensor:
        """log σ, a scalar."""
        return math.log(FLOOR) + F.softplus(self.theta)

    def forward(self) -> Tensor:
        """σ, a scalar."""
        return self.log().exp()


def initialise_scales(
    encoder: nn.Module, decoder: nn.Module, sigma1: LearnedScale, sigma2: LearnedScale, x: Tensor, u: Tensor
) -> Tensor:
    """Start σ₁ at a fixed share of the spread of E(x), and σ₂ at the error that this leaves; v = σ₁u + E(x)."""
    h = encoder(x)
    sigma1.set(SIGMA1_START * h.std())
    v = sigma1() * u + h
    sigma2.set((decoder(v) - x).square().mean().sqrt())
    return v
