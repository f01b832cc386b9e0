"""The flows F that a latent can have, behind one interface."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from fvae.flows.autoregressive import AutoregressiveFlow
from fvae.flows.multiscale import MultiScaleFlow


class LatentFlow(Protocol):
    """z = F(v) for v of shape (N, *shape) and z of shape (N, d), a module."""

    latent_shapes: list[tuple[int, int, int]]  # of the parts of z

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = F(x), (N, d), and log|det ∂F/∂x|, (N,)."""

    def inverse(self, z: Tensor) -> Tensor:
        """x = F⁻¹(z), (N, d) → (N, *shape)."""


def latent_flow(shape: tuple[int, int, int], kind: str = "multiscale", **settings: Any) -> LatentFlow:
    """F for a latent of that shape. Raises ValueError where its settings do not fit it."""
    if kind == "autoregressive":
        return AutoregressiveFlow(shape, **settings)
    return MultiScaleFlow(shape, **settings, squeeze_first=False)
