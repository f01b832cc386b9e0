"""Mixing of channels between couplings: a fixed permutation, or an invertible 1×1 convolution (Glow, section 3.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fvae.flows.layer import Layer, full_precision


class Shuffle(Layer):
    """A fixed random permutation of the channels, as in the authors' code."""

    order: Tensor
    back: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        order = torch.randperm(channels)
        self.register_buffer("order", order)
        self.register_buffer("back", order.argsort())

    def forward(self, x: Tensor) -> tuple[Tensor, float]:
        return x[:, self.order], 0.0

    def inverse(self, y: Tensor) -> Tensor:
        return y[:, self.back]


class InvertibleConv1x1(Layer):
    """y = W x at each pixel, W = P L (U + diag(sign · exp(log_s))), log|det W| = Σ log_s (Glow, equation 10)."""

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        rotation, _ = torch.linalg.qr(torch.randn(channels, channels))
        permutation, lower, upper = torch.linalg.lu(rotation)
        self.register_buffer("permutation", permutation)
        self.register_buffer("sign", upper.diagonal().sign())
        self.log_s = nn.Parameter(upper.diagonal().abs().log())
        self.lower = nn.Parameter(lower.tril(-1))
        self.upper = nn.Parameter(upper.triu(1))

    def factors(self) -> tuple[Tensor, Tensor]:
        """L with its unit diagonal, and U with its diagonal."""
        eye = torch.eye(len(self.log_s), device=self.log_s.device, dtype=self.log_s.dtype)
        lower = self.lower.tril(-1) + eye
        upper = self.upper.triu(1) + torch.diag(self.sign * self.log_s.exp())
        return lower, upper

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        lower, upper = self.factors()
        with full_precision(x.device):
            weight = self.permutation @ (lower @ upper)
            y = F.conv2d(x, weight[:, :, None, None])
        return y, x.shape[2] * x.shape[3] * self.log_s.sum()

    def inverse(self, y: Tensor) -> Tensor:
        lower, upper = (factor.double() for factor in self.factors())
        y1 = torch.linalg.solve_triangular(lower, self.permutation.double().T, upper=False, unitriangular=True)
        weight = torch.linalg.solve_triangular(upper, y1, upper=True).to(y.dtype)
        return F.conv2d(y, weight[:, :, None, None])


MIXINGS: dict[str, type[Layer]] = {"shuffle": Shuffle, "conv1x1": InvertibleConv1x1}
