"""The interface of models: each is a conditional flow F_x(u) and a decoder q(x|z), put into equation (6)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from fvae.flows.actnorm import data_dependent_start
from fvae.objective import LOG_2PI, Posterior, objective

Shape = tuple[int, int, int]


class Model(nn.Module):
    """A generative model of images x, (N, C, H, W) in [-1, 1], with a latent z, (N, d), d ≤ D = C·H·W.

    q(z) = N(0, I), q(x|z) = N(decoder(v), σ₂² I) with v = F⁻¹(z), and z = F_x(u) with u ∼ N(0, I).
    """

    bits = 8  # per channel of a pixel, which has one of 2^bits levels in [-1, 1]
    exact = False  # whether `nll` gives the likelihood itself and not a bound
    decoder: nn.Module

    def __init__(self, shape: Shape, noise_shape: Shape) -> None:
        super().__init__()
        self.shape = shape  # of an image
        self.noise_shape = noise_shape  # of u

    @property
    def dims(self) -> int:
        """D, the dimension of an image."""
        return math.prod(self.shape)

    @property
    def latent_dims(self) -> int:
        """d, the dimension of z."""
        return math.prod(self.noise_shape)

    def latent_shapes(self) -> list[Shape]:
        """The shapes of the parts of z."""
        return [self.noise_shape]

    @property
    def log_sigma2(self) -> Tensor:
        """log σ₂ of q(x|z), a scalar, or (C,)."""
        raise NotImplementedError

    def posterior(self, x: Tensor, u: Tensor) -> Posterior:
        """z = F_x(u), equation (5)."""
        raise NotImplementedError

    def invert(self, z: Tensor) -> Tensor:
        """v = F⁻¹(z), what the decoder decodes: (N, d) → (N, *noise_shape)."""
        raise NotImplementedError

    def log_likelihood(self, x: Tensor, v: Tensor) -> Tensor:
        """log q(x|z) in nats, (N,), given v = F⁻¹(z)."""
        return log_normal_around(x, self.decoder(v), self.log_sigma2)

    def nll(self, x: Tensor) -> Tensor:
        """−log q(x) in nats, (N,), of a model that is `exact`."""
        raise NotImplementedError

    def encode(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """The latent F_x(u) of a real image, by default without noise, F_x(0): (N, C, H, W) → (N, d)."""
        return self.posterior(x, x.new_zeros(len(x), *self.noise_shape) if u is None else u).z

    def decode(self, z: Tensor) -> Tensor:
        """The image of a latent, equation (19), without noise: (N, d) → (N, C, H, W)."""
        return self.decoder(self.invert(z))

    @torch.no_grad()
    def initialise(self, x: Tensor, u: Tensor) -> None:
        """Set actnorms and scales from a first batch x and noise u."""
        with data_dependent_start(self):
            self.posterior(x, u)

    def forward(self, x: Tensor, u: Tensor) -> Tensor:
        """Equation (6) in nats per image: (N,)."""
        return objective(self, x, u)

    def losses(self, x: Tensor, noises: Iterable[Tensor]) -> Iterator[Tensor]:
        """Equation (6) of the same images for each of several noises u: (N,) each."""
        return (self(x, u) for u in noises)

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """u ∼ N(0, I), (n, *noise_shape), on the generator's device."""
        return torch.randn((n, *self.noise_shape), generator=generator, device=generator.device)


def log_normal_around(x: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """log N(x; mean, σ² I) in nats, with one σ, or with one for each channel, (C,): (N, C, H, W) → (N,)."""
    squares = (x - mean).square().sum((2, 3)) * (-2 * log_sigma).exp()
    return -0.5 * squares.sum(1) - x[0].numel() * (log_sigma.mean() + 0.5 * LOG_2PI)
