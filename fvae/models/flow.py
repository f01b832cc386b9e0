"""A flow as the special case (13) of equation (6): F_x(u) = F(σu + x) and q(x|z) = N(F⁻¹(z), σ²)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model, Shape
from fvae.objective import Posterior, log_normal

SIGMA = 1e-4  # the small constant σ of (13): an eightieth of an 8-bit level


class FlowModel(Model):
    """A flow F on images: Glow, and RealNVP and NICE by their settings (see MultiScaleFlow).

    Equation (6) is the negative log-likelihood of F at x + σu, because the terms in σ cancel (14, 15).
    """

    exact = True
    log_sigma: Tensor

    def __init__(self, shape: Shape, *, flow: Mapping[str, Any]) -> None:
        super().__init__(shape, shape)
        self.flow = MultiScaleFlow(shape, **flow, squeeze_first=True)
        self.decoder = nn.Identity()
        self.register_buffer("log_sigma", torch.tensor(math.log(SIGMA)), persistent=False)

    @property
    def log_sigma2(self) -> Tensor:
        return self.log_sigma

    def latent_shapes(self) -> list[Shape]:
        return self.flow.latent_shapes

    def posterior(self, x: Tensor, u: Tensor) -> Posterior:
        v = self.log_sigma.exp() * u + x
        z, logdet = self.flow(v)
        return Posterior(z, logdet + self.latent_dims * self.log_sigma, v)

    def invert(self, z: Tensor) -> Tensor:
        return self.flow.inverse(z)

    def nll(self, x: Tensor) -> Tensor:
        """−log q(x) in nats per image, exact by the change of variables (the limit σ → 0 of equation 6): (N,)."""
        z, logdet = self.flow(x)
        return -log_normal(z) - logdet
