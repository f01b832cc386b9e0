"""A VAE with inverse autoregressive flow (Kingma et al. 2016): its posterior is sampled in parallel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from fvae.flows.autoregressive import autoregressive_steps
from fvae.flows.layer import flat
from fvae.models.base import Shape
from fvae.models.vae import VAE
from fvae.objective import Posterior


class IAF(VAE):
    """f₀ = σ(x) ⊗ u + μ(x), fₖ = sₖ(fₖ₋₁, h(x)) ⊗ fₖ₋₁ + tₖ(fₖ₋₁, h(x)), F_x(u) = f_K; q(x|z) = N(G(z), σ₂²).

    sₖ and tₖ are autoregressive. h, a network of E's features with as many numbers as the latent, starts as zero. The
    decoder decodes z itself, so that sampling needs no flow. Raises ValueError for a latent of one dimension.
    """

    def __init__(self, shape: Shape, *, encoder: Mapping[str, Any], flow: Mapping[str, Any], **scales: Any) -> None:
        super().__init__(shape, encoder=encoder, **scales)
        self.context = self.encoder.head()
        self.steps = autoregressive_steps(self.latent_dims, **flow, context=self.latent_dims)

    def posterior_of(self, features: Tensor, u: Tensor) -> Posterior:
        f, logdet = self.gaussian(features, u)
        z, h = flat(f), flat(self.context(features))
        for step in self.steps:
            z, step_logdet = step(z, h)
            logdet = logdet + step_logdet
        return Posterior(z, logdet, self.invert(z))
