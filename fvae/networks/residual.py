"""The encoder E and the decoder G of the authors' code: residual steps between (un)squeezes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fvae.flows.conv import Conv1x1, Conv3x3, zero_start
from fvae.flows.squeeze import squeeze, unsqueeze
from fvae.networks.base import Encoder, Latent, Shape, latent_shape


class ResidualStep(nn.Module):
    """x + Conv1×1(ReLU(BatchNorm(Conv3×3(x)))), which starts as the identity."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = max(1, round(channels * expansion))
        self.network = nn.Sequential(
            Conv3x3(channels, hidden),
            nn.BatchNorm2d(hidden, momentum=0.01, eps=1e-3),  # Keras's defaults
            nn.ReLU(inplace=True),
            zero_start(Conv1x1(hidden, channels)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H, W)."""
        return x + self.network(x).to(x.dtype)


def residual_steps(channels: int, steps: int, expansion: float) -> nn.Sequential:
    """The steps of a level."""
    return nn.Sequential(*(ResidualStep(channels, expansion) for _ in range(steps)))


class ResidualEncoder(Encoder):
    """E: levels of [squeeze, residual steps], (N, C, H, W) → (N, C·4^levels, H/2^levels, W/2^levels).

    For a latent of k channels a 1×1 convolution follows, with orthonormal rows at the start: d = k·H·W/4^levels < D.
    Raises ValueError where the levels or the latent do not fit the image.
    """

    def __init__(self, shape: Shape, *, levels: int, steps: int, expansion: float, latent: Latent) -> None:
        super().__init__(latent_shape(shape, levels, latent))
        channels = shape[0]
        self.levels = nn.ModuleList(
            residual_steps(channels * 4**level, steps, expansion) for level in range(1, levels + 1)
        )
        self.reduce = nn.Identity() if latent == "full" else Conv1x1(channels * 4**levels, self.shape[0])
        if isinstance(self.reduce, Conv1x1):
            nn.init.orthogonal_(self.reduce.weight)

    def features(self, x: Tensor) -> Tensor:
        for steps in self.levels:
            x = steps(squeeze(x))
        return self.reduce(x).to(x.dtype)

    def mean(self, features: Tensor) -> Tensor:
        return features

    def head(self, channels: int | None = None) -> nn.Module:
        return zero_start(Conv3x3(self.shape[0], channels or self.shape[0]))


class ResidualDecoder(nn.Module):
    """G: the mirror of E, levels of [residual steps, unsqueeze], then tanh."""

    def __init__(self, shape: Shape, *, levels: int, steps: int, expansion: float, latent: Latent) -> None:
        super().__init__()
        channels = shape[0]
        reduced = latent_shape(shape, levels, latent)[0]
        self.widen = nn.Identity() if latent == "full" else Conv1x1(reduced, channels * 4**levels)
        self.levels = nn.ModuleList(
            residual_steps(channels * 4**level, steps, expansion) for level in range(levels, 0, -1)
        )

    def forward(self, v: Tensor) -> Tensor:
        """v → G(v), an image in (-1, 1)."""
        v = self.widen(v).to(v.dtype)
        for steps in self.levels:
            v = unsqueeze(steps(v))
        return v.tanh()

    @torch.no_grad()
    def mirror(self, encoder: Encoder) -> None:
        """Start from the transpose of E's reduction, so that G(E(x)) is at first tanh of a projection of x."""
        if isinstance(self.widen, Conv1x1) and isinstance(reduce := encoder.get_submodule("reduce"), Conv1x1):
            self.widen.weight.copy_(reduce.weight.transpose(0, 1))
