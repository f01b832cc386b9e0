"""Masked networks, in which each output depends only on the inputs before it (Germain et al. 2015)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fvae.flows.layer import full_precision, soft_clamp


class MaskedLinear(nn.Linear):
    """A dense layer in which output j sees input i where allowed[j, i], a mask on the CPU."""

    mask: Tensor

    def __init__(self, allowed: Tensor) -> None:
        super().__init__(allowed.shape[1], allowed.shape[0])
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)
        self.unused = int(allowed.logical_not().sum())  # weights that never get a gradient
        self.register_buffer("mask", allowed.to(self.weight), persistent=False)

    def masked(self) -> Tensor:
        """The weight with zeros where nothing is seen, (outputs, inputs)."""
        return self.mask * self.weight

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) → (N, outputs)."""
        return F.linear(x, self.masked(), self.bias)


class MADE(nn.Module):
    """log s and t of each of d dimensions from the ones before it (Germain et al. 2015), with one hidden layer.

    Hidden unit k sees the first mₖ dimensions, where m rises evenly from 0 to d − 1, and it is seen by dimensions after
    those. A context, a vector of each image, is added to the hidden layer. Both outputs are zero at the start. Raises
    ValueError for less than two dimensions.
    """

    def __init__(self, dims: int, width: int, context: int = 0) -> None:
        super().__init__()
        if dims < 2:
            raise ValueError("an autoregressive flow needs a latent of at least two dimensions")
        order = torch.arange(dims, device="cpu")
        seen = torch.linspace(0 if context else 1, dims - 1, width, device="cpu").round()
        self.first = MaskedLinear(order[None, :] < seen[:, None])
        self.context = nn.Linear(context, width, bias=False) if context else None
        self.last = MaskedLinear((seen[None, :] <= order[:, None]).repeat(2, 1))
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """log s, softly clamped to ±2, and t, (N, d) each, from (N, d) and a context, (N, context)."""
        log_s, t = self.last(F.relu(self.first(x) + self.shift(h))).to(x.dtype).chunk(2, 1)
        return soft_clamp(log_s), t

    def shift(self, h: Tensor | None) -> Tensor | float:
        """What the context adds to the hidden layer."""
        return 0.0 if self.context is None else self.context(h)

    def inverse(self, y: Tensor, h: Tensor | None = None) -> Tensor:
        """x of y = s(x) ⊗ x + t(x), dimension after dimension: (N, d) → (N, d).

        The hidden layer is kept, and each dimension that is found is added to it, so that all steps together have the
        arithmetic of one evaluation.
        """
        with full_precision(y.device):
            dims = y.shape[1]
            first, last = self.first.masked(), self.last.masked()
            hidden = (self.first.bias + self.shift(h)).expand(len(y), -1)
            found: list[Tensor] = []
            for i in range(dims):
                log_s, t = F.linear(hidden.relu(), last[[i, dims + i]], self.last.bias[[i, dims + i]]).unbind(1)
                found.append((y[:, i] - t) * (-soft_clamp(log_s)).exp())
                hidden = hidden + found[-1][:, None] * first[:, i]
            return torch.stack(found, 1)
