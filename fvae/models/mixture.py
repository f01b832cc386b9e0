"""The mixture of two flows, equation (16): Gaussian steps that depend on x alternate with flows that do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fvae.flows.conditional import ConditionalAffine
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Shape
from fvae.models.vae import VAE
from fvae.objective import Posterior


class Mixture(VAE):
    """f₁ = F₁(σ₁(x) ⊗ u + μ₁(x)), f₂ = F₂(σ₂(x) ⊗ f₁ + μ₂(x)), F_x(u) = σ₃(x) ⊗ f₂ + μ₃(x); q(x|z) = N(G(z), σ²).

    A VAE with a more flexible posterior. The decoder decodes z itself, so that sampling needs no flow.
    """

    def __init__(self, shape: Shape, *, encoder: Mapping[str, Any], flow: Mapping[str, Any], **scales: Any) -> None:
        super().__init__(shape, encoder=encoder, **scales)
        self.flows = nn.ModuleList(MultiScaleFlow(self.noise_shape, **flow, squeeze_first=False) for _ in range(2))
        self.affines = nn.ModuleList(ConditionalAffine(self.noise_shape[0]) for _ in range(2))

    def posterior_of(self, features: Tensor, u: Tensor) -> Posterior:
        h = self.encoder.mean(features)
        f, logdet = self.gaussian(features, u)
        for flow, affine in zip(self.flows, self.affines, strict=True):
            assert isinstance(flow, MultiScaleFlow)
            z, flow_logdet = flow(f)
            f, affine_logdet = affine(flow.assemble(z), h)
            logdet = logdet + flow_logdet + affine_logdet
        return Posterior(f.flatten(1), logdet, f)
