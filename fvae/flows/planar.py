"""Planar steps, z = f + û tanh(wᵀf + b) (Rezende & Mohamed 2015), with û, w and b of each image."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fvae.flows.layer import flat, soft_clamp

BOUND = 10.0  # of wᵀu, so that the determinant cannot underflow
AT_ZERO = math.log(math.e - 1)  # where softplus is 1


def planar(f: Tensor, w: Tensor, u: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """z = f + û tanh(wᵀf + b) and log|det ∂z/∂f|, (N, d) and (N,), given w and u, (N, d), and b, (N,).

    û is u with another part along w, so that wᵀû > −1: then the map is invertible (their appendix A.1). The
    determinant is 1 + wᵀû (1 − tanh²), positive for every f. w must not be zero.
    """
    given = (w * u).sum(1)
    along = F.softplus(soft_clamp(given, BOUND) + AT_ZERO)  # 1 + wᵀû; 1 where wᵀu = 0, so that u = 0 is the identity
    u = u + ((along - 1 - given) / w.square().sum(1))[:, None] * w
    tanh = torch.tanh((w * f).sum(1) + b)
    return f + u * tanh[:, None], (along + (1 - along) * tanh.square()).log()


class PlanarFlow(nn.Module):
    """Planar steps of f, (N, d), d = C·H·W, whose u, b and w are computed from features of the image.

    `network` makes features into steps·(2C + 1) channels at the places of the latent: for each step u, how far w is
    from a learned vector of its own, and b as the mean of a channel. Where these are zero, every step is the identity.
    """

    def __init__(self, shape: tuple[int, int, int], steps: int, network: nn.Module) -> None:
        super().__init__()
        self.channels, dims = shape[0], math.prod(shape)
        self.w = nn.Parameter(torch.randn(steps, dims) / dims**0.5)
        self.network = network

    def forward(self, f: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """z, (N, d), and log|det ∂z/∂f|, (N,)."""
        logdet = f.new_zeros(len(f))
        for w, numbers in zip(self.w, self.network(features).to(f.dtype).chunk(len(self.w), 1), strict=True):
            u, moved, b = numbers.split([self.channels, self.channels, 1], 1)
            f, step_logdet = planar(f, w + flat(moved), flat(u), b.mean((1, 2, 3)))
            logdet = logdet + step_logdet
        return f, logdet
