"""The VAE, equation (10): F_x(u) = σ(x) ⊗ u + μ(x) and q(x|z) = N(G(z), σ₂²)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fvae.flows.conv import Conv3x3, zero_start
from fvae.flows.layer import soft_clamp
from fvae.models.base import Model, Shape, log_normal_around
from fvae.models.networks import Decoder, Encoder, encoded_shape
from fvae.models.scale import LearnedScale, initialise_scales
from fvae.objective import Posterior


class VAE(Model):
    """A Gaussian posterior: with it, equation (6) is reconstruction + KL, and the reparametrisation comes with it."""

    def __init__(self, shape: Shape, *, encoder: Mapping[str, Any]) -> None:
        super().__init__(shape, encoded_shape(shape, encoder["levels"]))
        self.encoder = Encoder(shape[0], **encoder)
        self.log_sigma = zero_start(Conv3x3(self.noise_shape[0], self.noise_shape[0]))
        self.decoder = Decoder(shape[0], **encoder)
        self.sigma1 = LearnedScale()  # the common scale of σ(x)
        self.sigma2 = LearnedScale()

    def posterior(self, x: Tensor, u: Tensor) -> Posterior:
        mu = self.encoder(x)
        log_sigma = self.sigma1.log() + soft_clamp(self.log_sigma(mu).to(mu.dtype), 4.0)
        z = log_sigma.exp() * u + mu
        return Posterior(z.flatten(1), log_sigma.flatten(1).sum(1), z)

    def log_likelihood(self, x: Tensor, v: Tensor) -> Tensor:
        return log_normal_around(x, self.decoder(v), self.sigma2.log())

    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x).flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z.unflatten(1, self.noise_shape))

    @torch.no_grad()
    def initialise(self, x: Tensor, u: Tensor) -> None:
        initialise_scales(self.encoder, self.decoder, self.sigma1, self.sigma2, x, u)
