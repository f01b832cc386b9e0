"""The encoder E and the decoder network G of the authors' code: residual steps between (un)squeezes."""

from __future__ import annotations

from torch import Tensor, nn

from fvae.flows.conv import Conv1x1, Conv3x3, zero_start
from fvae.flows.squeeze import squeeze, unsqueeze


class ResidualStep(nn.Module):
    """x + Conv1×1(ReLU(BatchNorm(Conv3×3(x)))), the identity at the start."""

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


class Encoder(nn.Module):
    """E: levels of [squeeze, residual steps], (N, C, H, W) → (N, C·4^levels, H/2^levels, W/2^levels)."""

    def __init__(self, channels: int, levels: int, steps: int, expansion: float) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(*(ResidualStep(channels * 4**level, expansion) for _ in range(steps)))
            for level in range(1, levels + 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The image as a latent of the same dimension."""
        for steps in self.levels:
            x = steps(squeeze(x))
        return x


class Decoder(nn.Module):
    """G: the mirror of E, levels of [residual steps, unsqueeze], then tanh."""

    def __init__(self, channels: int, levels: int, steps: int, expansion: float) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(*(ResidualStep(channels * 4**level, expansion) for _ in range(steps)))
            for level in range(levels, 0, -1)
        )

    def forward(self, v: Tensor) -> Tensor:
        """The latent as an image in [-1, 1]."""
        for steps in self.levels:
            v = unsqueeze(steps(v))
        return v.tanh()


def encoded_shape(shape: tuple[int, int, int], levels: int) -> tuple[int, int, int]:
    """The shape of E(x). Raises ValueError where the image is too small for the levels."""
    channels, rows, columns = shape
    if rows % 2**levels or columns % 2**levels:
        raise ValueError(f"{levels} levels of an encoder do not divide {rows}×{columns}")
    return channels * 4**levels, rows // 2**levels, columns // 2**levels
