"""Squeeze: 2×2 pixels become channels (RealNVP, section 3.6)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def squeeze(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, 4C, H/2, W/2), a permutation of the values."""
    return F.pixel_unshuffle(x, 2)


def unsqueeze(x: Tensor) -> Tensor:
    """(N, 4C, H, W) → (N, C, 2H, 2W), the inverse of squeeze."""
    return F.pixel_shuffle(x, 2)
