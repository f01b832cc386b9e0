"""Reversible training (Gomez et al. 2017): activations are recomputed from outputs, which saves memory."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from fvae.flows.composition import Composition


def reversible(composition: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """composition(x) and its log-determinants, (N,); only the output is kept for the gradient."""
    assert isinstance(composition, Composition)
    return _Reversible.apply(composition, x, *composition.parameters())


class _Reversible(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, composition: Composition, x: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        device = x.device.type
        ctx.composition = composition
        ctx.autocast = {
            "device_type": device,
            "dtype": torch.get_autocast_dtype(device),
            "enabled": torch.is_autocast_enabled(device),
        }
        y, logdet = composition(x)
        ctx.save_for_backward(y)
        return y, logdet + x.new_zeros(len(x))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (y,), (y_gradient, logdet_gradient) = ctx.saved_tensors, gradients
        found: dict[Tensor, Tensor] = {}
        for layer in reversed(ctx.composition.primitives()):
            parameters = list(layer.parameters())
            with torch.enable_grad(), _autocast(ctx):
                x, again, logdet = layer.recompute(y)
                outputs, output_gradients = [again], [y_gradient]
                if isinstance(logdet, Tensor) and logdet.requires_grad:
                    outputs.append(logdet)
                    output_gradients.append(logdet_gradient if logdet.dim() else logdet_gradient.sum())
            y_gradient, *rest = torch.autograd.grad(outputs, [x, *parameters], output_gradients)
            found |= dict(zip(parameters, rest, strict=True))
            y = x.detach()
        return None, y_gradient, *(found[parameter] for parameter in ctx.composition.parameters())


def _autocast(ctx: Any) -> AbstractContextManager:
    return torch.autocast(**ctx.autocast)
