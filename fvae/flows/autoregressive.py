"""Autoregressive steps: each dimension is scaled and shifted by functions of the ones before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fvae.flows.actnorm import Actnorm
from fvae.flows.layer import flat
from fvae.flows.made import MADE


class AutoregressiveStep(nn.Module):
    """y = s(x) ⊗ x + t(x) at once, where sᵢ and tᵢ depend on the dimensions before i (or, `backwards`, after i).

    log|det| = Σ log s. The inverse is sequential, a dimension at a time.
    """

    def __init__(self, dims: int, width: int, *, backwards: bool, context: int = 0) -> None:
        super().__init__()
        self.backwards = backwards
        self.network = MADE(dims, width, context)

    def ordered(self, x: Tensor) -> Tensor:
        """x in the order in which its dimensions are looked at, and back."""
        return x.flip(1) if self.backwards else x

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """y, (N, d), and log|det|, (N,), from x and a context, (N, context)."""
        log_s, t = map(self.ordered, self.network(self.ordered(x), h))
        return torch.addcmul(t, x, log_s.exp()), log_s.sum(1)

    def inverse(self, y: Tensor, h: Tensor | None = None) -> Tensor:
        """x, (N, d)."""
        return self.ordered(self.network.inverse(self.ordered(y), h))


def autoregressive_steps(dims: int, steps: int, width: int, context: int = 0) -> nn.ModuleList:
    """Steps that look at the dimensions forwards and backwards in turn."""
    turns = (bool(step % 2) for step in range(steps))
    return nn.ModuleList(AutoregressiveStep(dims, width, backwards=turn, context=context) for turn in turns)


class AutoregressiveFlow(nn.Module):
    """z = F(x), an actnorm and autoregressive steps, for x of shape (N, *shape) and z of shape (N, d).

    F is parallel and F⁻¹ sequential. Raises ValueError for less than two dimensions.
    """

    def __init__(self, shape: tuple[int, int, int], *, steps: int, width: int) -> None:
        super().__init__()
        self.shape = shape
        self.latent_shapes = [shape]
        self.first = Actnorm(shape[0])
        self.steps = autoregressive_steps(shape[0] * shape[1] * shape[2], steps, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = F(x), (N, d), and log|det ∂F/∂x|, (N,)."""
        x, actnorm_logdet = self.first(x)
        z, logdet = flat(x), actnorm_logdet.expand(len(x))
        for step in self.steps:
            z, step_logdet = step(z)
            logdet = logdet + step_logdet
        return z, logdet

    def inverse(self, z: Tensor) -> Tensor:
        """x = F⁻¹(z), (N, d) → (N, *shape)."""
        for step in reversed(self.steps):
            assert isinstance(step, AutoregressiveStep)
            z = step.inverse(z)
        return self.first.inverse(z.unflatten(1, self.shape))
