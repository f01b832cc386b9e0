"""Coupling layers, equations (2) and (3): half of the channels determine a shift, and a scale, of the other half."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fvae.flows.conv import Conv1x1, Conv3x3, zero_start
from fvae.flows.layer import Layer, soft_clamp


def coupling_network(channels_in: int, width: int, channels_out: int) -> nn.Sequential:
    """Conv3×3 → ReLU → Conv1×1 → ReLU → Conv3×3 that starts at zero, so that the coupling starts at the identity."""
    return nn.Sequential(
        Conv3x3(channels_in, width),
        nn.ReLU(inplace=True),
        Conv1x1(width, width),
        nn.ReLU(inplace=True),
        zero_start(Conv3x3(width, channels_out)),
    )


class Coupling(Layer):
    """y1 = x1, y2 = x2 moved by a function of x1, where x1 and x2 are the halves of the channels of x[:, order].

    `order` is a permutation of the channels before the coupling. tests/flows/test_coupling.py has a plain reference.
    """

    order: Tensor | None
    back: Tensor | None

    def __init__(self, channels: int, width: int, outputs: int, order: Tensor | None) -> None:
        super().__init__()
        self.kept = channels // 2
        self.network = coupling_network(self.kept, width, outputs * (channels - self.kept))
        self.register_buffer("order", order)
        self.register_buffer("back", None if order is None else order.argsort())

    def move(self, x2: Tensor, h: Tensor) -> tuple[Tensor, Tensor | float]:
        """y2 and log|det|; h is the network's output for x1."""
        raise NotImplementedError

    def move_back(self, y2: Tensor, h: Tensor) -> Tensor:
        """x2, from y2 and the same h."""
        raise NotImplementedError

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x → x1, which stays as it is, and x2, which is moved."""
        return halves(x if self.order is None else reordered(x, self.order), self.kept)

    def join(self, x1: Tensor, x2: Tensor) -> Tensor:
        """x1 and x2 → x, the inverse of `split`."""
        x = torch.cat([x1, x2], 1)
        return x if self.back is None else reordered(x, self.back)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | float]:
        x1, x2 = self.split(x)
        y2, logdet = self.move(x2, self.network(x1).to(x2.dtype))
        return torch.cat([x1, y2], 1), logdet

    def inverse(self, y: Tensor) -> Tensor:
        y1, y2 = halves(y, self.kept)
        return self.join(y1, self.move_back(y2, self.network(y1).to(y2.dtype)))

    def recompute(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor | float]:
        """x = f⁻¹(y) as a leaf of a new graph, then y and log|det| again from it: see Layer.recompute.

        The network is evaluated once instead of twice: x1 = y1 is known from the start, and x2 is filled in after it.
        """
        y1, y2 = halves(y.detach(), self.kept)
        x = self.join(y1, y2).requires_grad_()
        x1, x2 = self.split(x)
        h = self.network(x1).to(y2.dtype)
        # .data: autograd must not take this for a change of x, for the network has only seen x1, which stays.
        x2.data.copy_(self.move_back(y2, h.detach()))
        if self.order is not None:  # without an order x2 is a view of x
            x.data.copy_(self.join(y1, x2.detach()))
        again, logdet = self.move(x2, h)
        return x, torch.cat([x1, again], 1), logdet


def halves(x: Tensor, kept: int) -> tuple[Tensor, Tensor]:
    """The first channels, as many as are kept, and the others: views."""
    first, second = x.split([kept, x.shape[1] - kept], 1)  # its gradient is written once, which two slices' is not
    return first, second


def reordered(x: Tensor, order: Tensor) -> Tensor:
    """x[:, order], in the memory format of x."""
    if x.is_contiguous(memory_format=torch.channels_last):
        return x.movedim(1, -1).index_select(-1, order).movedim(-1, 1)
    return x.index_select(1, order)


class AdditiveCoupling(Coupling):
    """y1 = x1, y2 = x2 + t(x1)."""

    def __init__(self, channels: int, width: int, order: Tensor | None = None) -> None:
        super().__init__(channels, width, 1, order)

    def move(self, x2: Tensor, h: Tensor) -> tuple[Tensor, float]:
        return x2 + h, 0.0

    def move_back(self, y2: Tensor, h: Tensor) -> Tensor:
        return y2 - h


class AffineCoupling(Coupling):
    """y1 = x1, y2 = s(x1) ⊗ x2 + t(x1), with log s softly clamped to ±2; log|det| = Σ log s."""

    def __init__(self, channels: int, width: int, order: Tensor | None = None) -> None:
        super().__init__(channels, width, 2, order)

    def move(self, x2: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        log_s, t = h.chunk(2, 1)
        log_s = soft_clamp(log_s)
        return torch.addcmul(t, x2, log_s.exp()), log_s.sum((1, 2, 3))

    def move_back(self, y2: Tensor, h: Tensor) -> Tensor:
        log_s, t = h.chunk(2, 1)
        return (y2 - t) * (-soft_clamp(log_s)).exp()


COUPLINGS: dict[str, type[AdditiveCoupling | AffineCoupling]] = {"additive": AdditiveCoupling, "affine": AffineCoupling}
