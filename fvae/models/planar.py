"""A VAE with planar flows (Rezende & Mohamed 2015): a Gaussian sample goes through steps that depend on the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from fvae.flows.layer import flat
from fvae.flows.planar import PlanarFlow
from fvae.models.base import Shape
from fvae.models.vae import VAE
from fvae.objective import Posterior


class PlanarVAE(VAE):
    """f₀ = σ(x) ⊗ u + μ(x), fₖ = fₖ₋₁ + ûₖ(x) tanh(wₖ(x)ᵀfₖ₋₁ + bₖ(x)), F_x(u) = f_K; q(x|z) = N(G(z), σ₂²).

    The decoder decodes z itself, so that sampling needs no flow.
    """

    def __init__(self, shape: Shape, *, encoder: Mapping[str, Any], flow: Mapping[str, Any], **scales: Any) -> None:
        super().__init__(shape, encoder=encoder, **scales)
        numbers = self.encoder.head(flow["steps"] * (2 * self.noise_shape[0] + 1))
        self.flow = PlanarFlow(self.noise_shape, flow["steps"], numbers)

    def posterior_of(self, features: Tensor, u: Tensor) -> Posterior:
        f, logdet = self.gaussian(features, u)
        z, flow_logdet = self.flow(flat(f), features)
        return Posterior(z, logdet + flow_logdet, self.invert(z))
