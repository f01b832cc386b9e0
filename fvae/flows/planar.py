"""Planar steps, z = f + û tanh(wᵀf + b) (Rezende & Mohamed 2015), with û, w and b of each image."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from fvae.flows.layer import soft_clamp

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
