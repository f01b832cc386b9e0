"""The VAE, equation (10): F_x(u) = σ(x) ⊗ u + μ(x) and q(x|z) = N(G(z), σ₂²)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from fvae.flows.layer import soft_clamp
from fvae.models.autoencoder import Autoencoder
from fvae.models.base import Shape
from fvae.objective import Posterior


class VAE(Autoencoder):
    """A Gaussian posterior, with which equation (6) is reconstruction + KL in its reparametrised form."""

    def __init__(self, shape: Shape, *, encoder: Mapping[str, Any], **scales: Any) -> None:
        super().__init__(shape, encoder, **scales)
        self.log_sigma = self.encoder.head()

    def gaussian(self, features: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """σ(x) ⊗ u + μ(x), (N, *noise_shape), and Σ log σ(x), (N,), of E's features of x.

        μ(x) = E(x), and σ₁ is the common scale of σ(x).
        """
        mu = self.encoder.mean(features)
        log_sigma = self.sigma1.log() + soft_clamp(self.log_sigma(features).to(mu.dtype), 4.0)
        return log_sigma.exp() * u + mu, log_sigma.sum((1, 2, 3))

    def posterior_of(self, features: Tensor, u: Tensor) -> Posterior:
        z, logdet = self.gaussian(features, u)
        return Posterior(z.flatten(1), logdet, z)

    def invert(self, z: Tensor) -> Tensor:
        return z.unflatten(1, self.noise_shape)
