"""Actnorm: a learned scale and shift of each channel (Glow, section 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from fvae.flows.layer import Layer


class Actnorm(Layer):
    """y = exp(log_scale) ⊗ x + shift.

    It starts as the identity, or so that a first batch has zero mean and unit variance. The log-scale is a parameter,
    not a function of x, and is not bounded.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(channels, 1, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        pixels = x.shape[2] * x.shape[3]
        return torch.addcmul(self.shift, x, self.log_scale.exp()), pixels * self.log_scale.sum()

    def inverse(self, y: Tensor) -> Tensor:
        return (y - self.shift) * (-self.log_scale).exp()

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Give the outputs for a batch x zero mean and unit variance in each channel."""
        std, mean = torch.std_mean(x, dim=(0, 2, 3), keepdim=True, correction=0)
        self.log_scale.copy_(-std.clamp_min(1e-3).log()[0])
        self.shift.copy_((-mean * self.log_scale.exp())[0])


@contextmanager
def data_dependent_start(module: nn.Module) -> Iterator[None]:
    """A context in which a forward pass of `module` initialises each of its actnorms from the batch (Glow)."""
    hooks = [
        layer.register_forward_pre_hook(lambda actnorm, inputs: actnorm.initialise(inputs[0]))
        for layer in module.modules()
        if isinstance(layer, Actnorm)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
