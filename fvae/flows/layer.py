"""The interface of invertible layers, and what several of them use."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """An invertible map of (N, C, H, W).

    Its log-determinant is (N,), or a scalar where it is the same for every x.
    """

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


def soft_clamp(log_scale: Tensor, bound: float | None = 2.0) -> Tensor:
    """bound · tanh(log_scale / bound): a log-scale kept within ±bound, if there is one, with slope 1 at 0."""
    return log_scale if bound is None else bound * (log_scale / bound).tanh()


def full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """A context without autocast: latents keep float32, where networks may compute in bfloat16."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)


def flat(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C·H·W); its gradient comes back in the memory format of x.

    Kernels that read one tensor in one format and one in the other are many times slower, and they would hand the
    other format on to all layers before.
    """
    if x.requires_grad and x.is_contiguous(memory_format=torch.channels_last):
        x.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))
    return x.flatten(1)
