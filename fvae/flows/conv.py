"""The convolutions of coupling and residual networks."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Conv3x3(nn.Conv2d):
    """A 3×3 convolution with 'same' padding.

    On 1×1 images only its centre is computed: the rest meets padding. On a CPU it is one product of matrices for images
    of at most 2×2.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1)
        keras_start(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C', H, W)."""
        rows, columns = x.shape[-2:]
        if x.device.type == "cpu" and max(rows, columns) <= 2:
            assert self.bias is not None
            pixels = x.movedim(1, -1).flatten(1)
            y = F.linear(pixels, _Dense.apply(self.weight, rows, columns), self.bias.repeat(rows * columns))
            return y.unflatten(1, (rows, columns, -1)).movedim(-1, 1)
        if (rows, columns) == (1, 1):
            return F.conv2d(x, self.weight[:, :, 1:2, 1:2], self.bias)
        return super().forward(x)


class _Dense(torch.autograd.Function):
    """The matrix of a 3×3 convolution of images of at most 2×2: (C', C, 3, 3) → (rows·columns·C', rows·columns·C).

    Its gradient is gathered in one tensor in the memory format of the weight: autograd's would be a sum of as many
    whole tensors as there are slices.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, rows: int, columns: int) -> Tensor:
        ctx.like, ctx.size = torch.empty_like(weight, device="meta"), (rows, columns)
        return torch.cat([block.flatten(1) for block in blocks(weight, rows, columns)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        whole = torch.zeros_like(ctx.like, device=gradients[0].device)
        taps = blocks(whole, *ctx.size)
        for block, gradient in zip(taps, gradients[0].chunk(len(taps)), strict=True):
            block += gradient.view_as(block)
        return whole, None, None


def blocks(weight: Tensor, rows: int, columns: int) -> list[Tensor]:
    """The part of a 3×3 weight that meets pixels, (C', rows, columns, C), for each pixel of the output."""
    taps = weight.movedim(1, -1)
    return [taps[:, 1 - i : 1 - i + rows, 1 - j : 1 - j + columns] for i in range(rows) for j in range(columns)]


class Conv1x1(nn.Conv2d):
    """A 1×1 convolution."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 1)
        keras_start(self)


def keras_start(conv: nn.Conv2d) -> None:
    """Initialise as Keras, and so the authors' code, does: Glorot-uniform weights and zero biases."""
    nn.init.xavier_uniform_(conv.weight)
    zero_bias(conv)


def zero_start(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution with weights and bias set to zero, so that a network that ends in it starts as zero."""
    nn.init.zeros_(conv.weight)
    zero_bias(conv)
    return conv


def zero_bias(conv: nn.Conv2d) -> None:
    """Set the bias to zero."""
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
