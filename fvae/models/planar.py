"""A VAE with planar flows (Rezende & Mohamed 2015): a Gaussian sample goes through steps that depend on the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fvae.flows.layer import flat
from fvae.flows.planar import planar
from fvae.models.base import Shape
from fvae.models.vae import VAE
from fvae.objective import Posterior


class PlanarVAE(VAE):
    """f₀ = σ(x) ⊗ u + μ(x), fₖ = fₖ₋₁ + ûₖ(x) tanh(wₖ(x)ᵀfₖ₋₁ + bₖ(x)), F_x(u) = f_K; q(x|z) = N(G(z), σ₂²).

    A network of E's features gives uₖ, bₖ and how far wₖ is from a learned vector of its own; it starts as zero, where
    every step is the identity. The decoder decodes z itself, so that sampling needs no flow.
    """

    def __init__(self, shape: Shape, *, encoder: Mapping[str, Any], flow: Mapping[str, Any], **scales: Any) -> None:
        super().__init__(shape, encoder=encoder, **scales)
        self.steps = flow["steps"]
        self.w = nn.Parameter(torch.randn(self.steps, self.latent_dims) / self.latent_dims**0.5)
        self.amortised = self.encoder.head(self.steps * (2 * self.noise_shape[0] + 1))

    def posterior_of(self, features: Tensor, u: Tensor) -> Posterior:
        f, logdet = self.gaussian(features, u)
        z = flat(f)
        channels = self.noise_shape[0]
        of_image = self.amortised(features).to(z.dtype).chunk(self.steps, 1)
        for base, numbers in zip(self.w, of_image, strict=True):
            w, along, b = numbers.split([channels, channels, 1], 1)
            z, step_logdet = planar(z, base + flat(w), flat(along), b.mean((1, 2, 3)))
            logdet = logdet + step_logdet
        return Posterior(z, logdet, self.invert(z))
