"""The f-VAE, equation (17): F_x(u) = F(σ₁u + E(x)) and q(x|z) = N(G(F⁻¹(z)), σ₂²)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from fvae.flows.latent import latent_flow
from fvae.models.autoencoder import Autoencoder
from fvae.models.base import Shape
from fvae.objective import Posterior


class FVAE(Autoencoder):
    """An encoder E and a decoder G, which need not be invertible, and between them an invertible flow F.

    With a latent smaller than the image it is the dimension-reducing f-VAE, which the paper describes and does not try.
    F is multi-scale, or autoregressive as the prior of Chen et al. 2017, where F⁻¹ is sequential.
    """

    def __init__(self, shape: Shape, *, encoder: Mapping[str, Any], flow: Mapping[str, Any], **scales: Any) -> None:
        super().__init__(shape, encoder, **scales)
        self.flow = latent_flow(self.noise_shape, **flow)

    def latent_shapes(self) -> list[Shape]:
        return self.flow.latent_shapes

    def posterior_of(self, features: Tensor, u: Tensor) -> Posterior:
        v = self.sigma1() * u + self.encoder.mean(features)
        z, logdet = self.flow(v)
        return Posterior(z, logdet + self.latent_dims * self.sigma1.log(), v)

    def invert(self, z: Tensor) -> Tensor:
        return self.flow.inverse(z)
