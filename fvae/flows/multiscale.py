"""The multi-scale flow of RealNVP and Glow: levels of steps; half of the channels leave after each level."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fvae.flows.actnorm import Actnorm
from fvae.flows.composition import Composition
from fvae.flows.coupling import COUPLINGS
from fvae.flows.layer import Layer, flat
from fvae.flows.mixing import ORDERS, InvertibleConv1x1
from fvae.flows.reversible import reversible
from fvae.flows.split import BOUND, Split
from fvae.flows.squeeze import squeeze, unsqueeze


def step(
    channels: int, width: int, coupling: str, mixing: str, actnorm: bool, index: int = 0, steps: int = 1
) -> Composition:
    """One of the steps of a level: actnorm (optional), mixing of channels, coupling (Glow, figure 2a)."""
    layers: list[Layer] = [Actnorm(channels)] if actnorm else []
    order = None
    if mixing == "conv1x1":
        layers.append(InvertibleConv1x1(channels))
    else:
        order = ORDERS[mixing](channels, index, steps)
    return Composition([*layers, COUPLINGS[coupling](channels, width, order)])


class MultiScaleFlow(nn.Module):
    """z = F(x) for x of shape (N, *shape) and z of shape (N, d), where d is the number of values of x.

    A flow on images squeezes before every level; a flow on an encoder's output (`squeeze_first` false) squeezes before
    every level but the first. An actnorm after the last level scales what remains. Configurations: Glow (affine or
    additive coupling, conv1x1); the authors' (additive, shuffle); RealNVP (affine, checkerboard); NICE (one level,
    additive, swap, no actnorm in the steps, so that the last actnorm is its diagonal scaling). Raises ValueError where
    the shape does not fit the levels, or where a checkerboard has no squeeze before it.
    """

    reversible = False  # whether a training step recomputes the activations of a level from its output

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        levels: int,
        steps: int,
        width: int,
        coupling: str,
        mixing: str,
        actnorm: bool,
        squeeze_first: bool,
        split_bound: float | None = BOUND,
    ) -> None:
        super().__init__()
        squeezes = levels if squeeze_first else levels - 1
        if any(side % 2**squeezes for side in shape[1:]):
            raise ValueError(f"{levels} levels of a flow do not divide {shape[1]}×{shape[2]}")
        if mixing == "checkerboard" and not squeeze_first:
            raise ValueError("a checkerboard is one of the pixels of an image; a latent needs another mixing")
        self.shape = shape
        self.squeeze_first = squeeze_first
        self.levels = nn.ModuleList()
        self.splits = nn.ModuleList()
        self.latent_shapes: list[tuple[int, int, int]] = []  # of the parts of z, in its order
        channels, rows, columns = shape
        for level in range(levels):
            if level or squeeze_first:
                channels, rows, columns = 4 * channels, rows // 2, columns // 2
            if channels < 2:
                raise ValueError(f"level {level} of a flow has one channel; a coupling needs two")
            made = (step(channels, width, coupling, mixing, actnorm, index, steps) for index in range(steps))
            self.levels.append(Composition(made))
            if level < levels - 1:
                self.splits.append(Split(channels, split_bound))
                self.latent_shapes.append((channels - channels // 2, rows, columns))
                channels //= 2
        self.latent_shapes.append((channels, rows, columns))
        self.last = Actnorm(channels)

    def squeezes(self, level: int) -> bool:
        """Whether the level begins with a squeeze."""
        return level > 0 or self.squeeze_first

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = F(x), (N, d), and log|det ∂F/∂x|, (N,)."""
        parts = []
        logdet: Tensor | float = x.new_zeros(len(x))
        for level, steps in enumerate(self.levels):
            x = squeeze(x) if self.squeezes(level) else x
            x, level_logdet = reversible(steps, x) if self.reversible and torch.is_grad_enabled() else steps(x)
            logdet = logdet + level_logdet
            if level < len(self.splits):
                x, part, split_logdet = self.splits[level](x)
                logdet = logdet + split_logdet
                parts.append(flat(part))
        x, last_logdet = self.last(x)
        return torch.cat([*parts, flat(x)], 1), logdet + last_logdet

    def parts(self, z: Tensor) -> list[Tensor]:
        """z, (N, d) → the parts that left after each level and the part that remained, shaped as `latent_shapes`."""
        sizes = [math.prod(shape) for shape in self.latent_shapes]
        return [part.unflatten(1, shape) for part, shape in zip(z.split(sizes, 1), self.latent_shapes, strict=True)]

    def assemble(self, z: Tensor) -> Tensor:
        """z, (N, d) → (N, *shape), each value where it came from: F⁻¹ with identities in place of its steps."""
        *left, x = self.parts(z)
        for level in reversed(range(len(self.levels))):
            if level < len(left):
                x = torch.cat([x, left[level]], 1)
            if self.squeezes(level):
                x = unsqueeze(x)
        return x

    def inverse(self, z: Tensor) -> Tensor:
        """x = F⁻¹(z), (N, d) → (N, *shape)."""
        parts = self.parts(z)
        x = self.last.inverse(parts[-1])
        for level in reversed(range(len(self.levels))):
            if level < len(self.splits):
                split = self.splits[level]
                assert isinstance(split, Split)
                x = split.inverse(x, parts[level])
            steps = self.levels[level]
            assert isinstance(steps, Composition)
            x = steps.inverse(x)
            if self.squeezes(level):
                x = unsqueeze(x)
        return x
