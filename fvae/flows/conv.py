"""The convolutions of coupling and residual networks."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Conv3x3(nn.Conv2d):
    """A 3×3 convolution with 'same' padding. On 1×1 images only its centre is computed: the rest meets padding."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1)
        keras_start(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C', H, W)."""
        if x.shape[-2:] == (1, 1):
            return F.conv2d(x, self.weight[:, :, 1:2, 1:2], self.bias)
        return super().forward(x)


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
