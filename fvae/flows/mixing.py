"""Mixing of channels before a coupling: an order of the channels, or an invertible 1×1 convolution."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fvae.flows.layer import Layer, full_precision


def swap(channels: int) -> Tensor:
    """The order of channels, (C,), that exchanges their halves (NICE, section 3.3; RealNVP, section 3.5)."""
    return torch.arange(channels).roll(-(channels // 2))


def shuffle(channels: int) -> Tensor:
    """A random order of channels, (C,), drawn once, as in the authors' code."""
    return torch.randperm(channels)


def checkerboard(channels: int, index: int, steps: int) -> Tensor:
    """The order of channels, (C,), before one of the steps of a level that begins with a squeeze (RealNVP, figure 3).

    The first half of the steps have RealNVP's checkerboard masks of the image before the squeeze, the others its
    channel-wise masks of the squeezed image; what stays in one step is moved in the next.
    """
    before = torch.arange(channels, device="cpu") if index == 0 else _masked(channels, index - 1, steps)
    return before.argsort()[_masked(channels, index, steps)].to(torch.get_default_device())


def _masked(channels: int, index: int, steps: int) -> Tensor:
    """Channels in their order in a step, (C,): first those that stay, then those that are moved."""
    every = torch.arange(channels, device="cpu")
    place = every % 4  # in a square of 2×2 pixels: see squeeze
    checked = index < (steps + 1) // 2
    first = (place == 0) | (place == 3) if checked else every < channels // 2
    stays, moved = (every[first], every[~first])[:: -1 if index % 2 else 1]
    return torch.cat([stays, moved])


class InvertibleConv1x1(Layer):
    """y = W x at each pixel, W = P L (U + diag(s)), log|det W| = Σ log|s| (Glow, equations 10 and 11).

    L (unit lower), U (strictly upper) and log|s| are learned; one matrix stores them below, above and on its diagonal.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        # On the CPU, for on the meta device PyTorch would import its compiler, which takes seconds.
        device = torch.get_default_device()
        rotation, _ = torch.linalg.qr(torch.randn(channels, channels, device="cpu"))
        permutation, lower, upper = torch.linalg.lu(rotation)
        self.register_buffer("permutation", permutation.to(device))
        self.register_buffer("sign", upper.diagonal().sign().to(device))
        lu = lower.tril(-1) + upper.triu(1) + upper.diagonal().abs().log().diag()
        self.lu = nn.Parameter(lu.to(device))

    def factors(self) -> tuple[Tensor, Tensor]:
        """L and U + diag(s), (C, C) each."""
        lower = self.lu.tril(-1) + torch.eye(len(self.lu), device=self.lu.device, dtype=self.lu.dtype)
        return lower, self.lu.triu(1) + torch.diag(self.sign * self.lu.diagonal().exp())

    def weight(self) -> Tensor:
        """W, (C, C)."""
        lower, upper = self.factors()
        return (lower @ upper).index_select(0, self.permutation.argmax(1))  # a third product would take longer

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        with full_precision(x.device):
            y = mix(x, self.weight())
        return y, x.shape[2] * x.shape[3] * self.lu.diagonal().sum()

    def inverse(self, y: Tensor) -> Tensor:
        with full_precision(y.device):
            lower, upper = (factor.double() for factor in self.factors())
            back = torch.linalg.solve_triangular(lower, self.permutation.double().T, upper=False, unitriangular=True)
            back = torch.linalg.solve_triangular(upper, back, upper=True)
            return mix(y, back.to(y.dtype))


def mix(x: Tensor, weight: Tensor) -> Tensor:
    """A matrix (C, C) times the channels of each pixel, (N, C, H, W) → (N, C, H, W).

    On a CPU, in channels_last, that is one product of matrices, which is faster there than a convolution.
    """
    if x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last):
        return F.linear(x.movedim(1, -1), weight).movedim(-1, 1)
    return F.conv2d(x, weight[:, :, None, None])


# The order of channels that a coupling reads, by their number, the index of the step in its level, and its steps.
ORDERS: dict[str, Callable[[int, int, int], Tensor]] = {
    "swap": lambda channels, index, steps: swap(channels),
    "shuffle": lambda channels, index, steps: shuffle(channels),
    "checkerboard": checkerboard,
}
