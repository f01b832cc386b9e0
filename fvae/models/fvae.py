"""The f-VAE, equation (17): F_x(u) = F(σ₁u + E(x)) and q(x|z) = N(G(F⁻¹(z)), σ₂²)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fvae.flows.actnorm import initialise_actnorms
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model, Shape, log_normal_around
from fvae.models.networks import Decoder, Encoder, encoded_shape
from fvae.models.scale import LearnedScale, initialise_scales
from fvae.objective import Posterior


class FVAE(Model):
    """An encoder E and a decoder G that need not be invertible, and a flow F between them that is."""

    def __init__(self, shape: Shape, *, encoder: Mapping[str, Any], flow: Mapping[str, Any]) -> None:
        super().__init__(shape, encoded_shape(shape, encoder["levels"]))
        self.encoder = Encoder(shape[0], **encoder)
        self.decoder = Decoder(shape[0], **encoder)
        self.flow = MultiScaleFlow(self.noise_shape, **flow, squeeze_first=False)
        self.sigma1 = LearnedScale()
        self.sigma2 = LearnedScale()

    def latent_shapes(self) -> list[Shape]:
        return self.flow.latent_shapes

    def posterior(self, x: Tensor, u: Tensor) -> Posterior:
        v = self.sigma1() * u + self.encoder(x)
        z, logdet = self.flow(v)
        return Posterior(z, logdet + self.latent_dims * self.sigma1.log(), v)

    def log_likelihood(self, x: Tensor, v: Tensor) -> Tensor:
        return log_normal_around(x, self.decoder(v), self.sigma2.log())

    def encode(self, x: Tensor) -> Tensor:
        return self.flow(self.encoder(x))[0]

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(self.flow.inverse(z))

    @torch.no_grad()
    def initialise(self, x: Tensor, u: Tensor) -> None:
        v = initialise_scales(self.encoder, self.decoder, self.sigma1, self.sigma2, x, u)
        initialise_actnorms(self.flow, v)
