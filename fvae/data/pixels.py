"""Between 8-bit pixels and the continuous x in [-1, 1] of which the models have a density."""

from __future__ import annotations

import torch
from torch import Tensor


def dequantise(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """x = 2 (k + r) / 256 − 1 with r ∼ U[0, 1): uint8 → float32 of the same shape."""
    r = torch.rand(pixels.shape, generator=generator, device=pixels.device)
    return (pixels + r) / 128 - 1


def centre(pixels: Tensor) -> Tensor:
    """x at the middle of each pixel's level, without noise: uint8 → float32."""
    return (pixels + 0.5) / 128 - 1


def quantise(x: Tensor) -> Tensor:
    """The level k that x lies in, values outside [-1, 1] clipped: float → uint8."""
    return ((x + 1) * 128).floor().clamp(0, 255).to(torch.uint8)
