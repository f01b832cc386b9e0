"""Conversions between pixels of 8 or fewer bits and x in [-1, 1], whose density the models have."""

from __future__ import annotations

import torch
from torch import Tensor

from fvae.data.levels import width


def dequantise(pixels: Tensor, generator: torch.Generator, bits: int = 8) -> Tensor:
    """x = 2 (k + r) / 2^bits − 1 for level k and r ∼ U[0, 1): uint8 → float32 of the same shape."""
    r = torch.rand(pixels.shape, generator=generator, device=pixels.device)
    r.clamp_(max=1 - 2**-16)  # the largest r with which float32 does not round 255 + r up to the next level
    return (pixels + width(bits) * r) / 128 - 1


def centre(pixels: Tensor, bits: int = 8) -> Tensor:
    """x at the middle of each pixel's level, without noise: uint8 → float32."""
    return (pixels + width(bits) / 2) / 128 - 1


def between_ends(pixels: Tensor, bits: int = 8) -> Tensor:
    """x = 2 k / (2^bits − 1) − 1 for level k, without noise, as the authors scale it: uint8 → float32 in [-1, 1]."""
    return pixels / (width(bits) * (2**bits - 1) / 2) - 1


def quantise(x: Tensor, bits: int = 8) -> Tensor:
    """The level that x lies in, values outside [-1, 1] clipped: float → uint8."""
    levels = ((x + 1) * 128 / width(bits)).floor().clamp(0, 2**bits - 1)
    return (width(bits) * levels).to(torch.uint8)
