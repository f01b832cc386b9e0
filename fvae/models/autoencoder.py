"""The common part of VAE, mixture and f-VAE: an encoder E, a decoder G, and the scales σ₁ and σ₂."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from fvae.flows.actnorm import data_dependent_start
from fvae.models.base import Model, Shape
from fvae.models.scale import FLOOR, LearnedScale
from fvae.networks import encoder_and_decoder
from fvae.objective import Posterior, objective_of

SIGMA1_START = 0.5  # σ₁ at the start, as a share of the standard deviation of E(x)


class Autoencoder(Model):
    """E and G, which need not be invertible, and q(x|z) = N(G(v), σ₂² I). Raises ValueError where they do not fit.

    σ₁ is learned, or a constant; σ₂ is one number for the image, or one for each channel.
    """

    def __init__(
        self,
        shape: Shape,
        encoder: Mapping[str, Any],
        sigma_floor: float = FLOOR,
        sigma_rate: float = 1.0,
        sigma1: float | Literal["learned"] = "learned",
        sigma2: Literal["image", "channel"] = "image",
    ) -> None:
        e, g = encoder_and_decoder(shape, **encoder)
        super().__init__(shape, e.shape)
        self.encoder, self.decoder = e, g
        self.sigma1 = LearnedScale(sigma_floor, sigma_rate)
        self.sigma1_is_learned = sigma1 == "learned"
        if sigma1 != "learned":
            self.sigma1.set(sigma1).requires_grad_(False)
        self.sigma2 = LearnedScale(sigma_floor, sigma_rate, numbers=shape[0] if sigma2 == "channel" else None)

    def posterior(self, x: Tensor, u: Tensor) -> Posterior:
        return self.posterior_of(self.encoder.features(x), u)

    def posterior_of(self, features: Tensor, u: Tensor) -> Posterior:
        """z = F_x(u), equation (5), given E's features of x."""
        raise NotImplementedError

    def losses(self, x: Tensor, noises: Iterable[Tensor]) -> Iterator[Tensor]:
        features = self.encoder.features(x)
        return (objective_of(self, x, u, self.posterior_of(features, u)) for u in noises)

    @property
    def log_sigma2(self) -> Tensor:
        return self.sigma2.log()

    @torch.no_grad()
    def initialise(self, x: Tensor, u: Tensor) -> None:
        """Set σ₁ to a share of the deviation of E(x), actnorms from the batch, σ₂ to the error of reconstruction."""
        if self.sigma1_is_learned:
            self.sigma1.set(SIGMA1_START * self.encoder(x).std())
        with data_dependent_start(self):
            v = self.posterior(x, u).v
        self.sigma2.set((self.decoder(v) - x).square().mean().sqrt())
