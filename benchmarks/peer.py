"""The same Glow by normflows 1.7.3: what ours is measured against."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LEVELS, WIDTH, SIZE = 3, 512, 64


class Peer(nn.Module):
    """3 levels of GlowBlocks, width 512, LU-parametrised 1×1 convolutions, affine couplings of channels."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        import normflows as nf

        bases, merges, flows = [], [], []
        for level in range(LEVELS):  # from the latent to the image
            channels = 3 * 2 ** (LEVELS + 1 - level)
            blocks = [
                nf.flows.GlowBlock(channels, WIDTH, split_mode="channel", scale=True, use_lu=True) for _ in range(steps)
            ]
            flows.append([*blocks, nf.flows.Squeeze()])
            side = SIZE // 2 ** (LEVELS - level)
            shape = (channels // 2, side, side) if level else (channels, side, side)
            merges += [nf.flows.Merge()] if level else []
            bases.append(nf.distributions.DiagGaussian(shape))
        self.flow = nf.MultiscaleFlow(bases, flows, merges, class_cond=False)
        self.shape = self.noise_shape = (3, SIZE, SIZE)
        self.dims, self.bits = math.prod(self.shape), 8

    def forward(self, x: Tensor, u: Tensor) -> Tensor:
        """−log q(x) in nats, (N,)."""
        return self.flow(x)

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """It needs none."""
        return torch.zeros(n, 1, 1, 1, device=generator.device)

    @torch.no_grad()
    def initialise(self, x: Tensor, u: Tensor) -> None:
        """Its actnorms start from a first batch."""
        self.flow(x)

    def sample(self, n: int) -> Tensor:
        """n images."""
        return self.flow.sample(n)[0]
