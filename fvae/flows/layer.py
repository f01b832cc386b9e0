"""What every invertible layer is."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """An invertible map of (N, C, H, W); its log-determinant is (N,), or a scalar where it is the same for every x."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | float]:
        """y = f(x) and log|det ∂f/∂x|."""
        raise NotImplementedError

    def inverse(self, y: Tensor) -> Tensor:
        """x = f⁻¹(y)."""
        raise NotImplementedError

    def recompute(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor | float]:
        """x = f⁻¹(y) as a leaf of a new graph, then y and log|det| again from it, for reversible training."""
        with torch.no_grad():
            x = self.inverse(y).detach()
        return x.requires_grad_(), *self(x)


def soft_clamp(log_scale: Tensor, bound: float = 2.0) -> Tensor:
    """A log-scale kept within ±bound, the identity to first order at 0."""
    return bound * (log_scale / bound).tanh()


def full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """No autocast within: latents keep their precision while networks may lose some of theirs."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)
