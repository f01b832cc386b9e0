"""Glow as the special case (13) of equation (6): F_x(u) = F(σu + x) and q(x|z) = N(F⁻¹(z), σ²)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fvae.flows.actnorm import initialise_actnorms
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model, Shape, log_normal_around
from fvae.objective import Posterior, log_normal

SIGMA = 1e-4  # the small constant σ of (13): an eightieth of an 8-bit level


class Glow(Model):
    """A flow F on images. Equation (6) is the NLL of F on x + σu, for the terms in σ cancel (14, 15)."""

    exact = True

    def __init__(self, shape: Shape, *, flow: Mapping[str, Any]) -> None:
        super().__init__(shape, shape)
        self.flow = MultiScaleFlow(shape, **flow, squeeze_first=True)
        self.log_sigma = math.log(SIGMA)

    def latent_shapes(self) -> list[Shape]:
        return self.flow.latent_shapes

    def posterior(self, x: Tensor, u: Tensor) -> Posterior:
        v = math.exp(self.log_sigma) * u + x
        z, logdet = self.flow(v)
        return Posterior(z, logdet + self.latent_dims * self.log_sigma, v)

    def log_likelihood(self, x: Tensor, v: Tensor) -> Tensor:
        return log_normal_around(x, v, x.new_tensor(self.log_sigma))

    def nll(self, x: Tensor) -> Tensor:
        """−log q(x) in nats an image, exact by the change of variables (the limit σ → 0 of equation 6): (N,)."""
        z, logdet = self.flow(x)
        return -log_normal(z) - logdet

    def encode(self, x: Tensor) -> Tensor:
        return self.flow(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        return self.flow.inverse(z)

    @torch.no_grad()
    def initialise(self, x: Tensor, u: Tensor) -> None:
        initialise_actnorms(self.flow, x)
