"""What every model is: a conditional flow F_x(u) and a decoder q(x|z), put into equation (6)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fvae.objective import LOG_2PI, Posterior, objective

Shape = tuple[int, int, int]


class Model(nn.Module):
    """A generative model of images x, (N, C, H, W) in [-1, 1], with a latent z, (N, d)."""

    exact = False  # whether `nll` is the likelihood itself, not a bound

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

    def posterior(self, x: Tensor, u: Tensor) -> Posterior:
        """z = F_x(u), equation (5)."""
        raise NotImplementedError

    def log_likelihood(self, x: Tensor, v: Tensor) -> Tensor:
        """log q(x|z) in nats, (N,), given v = F⁻¹(z)."""
        raise NotImplementedError

    def encode(self, x: Tensor) -> Tensor:
        """The latent z of a real image, without noise: (N, C, H, W) → (N, d)."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Tensor:
        """The image of a latent, equation (19), without noise: (N, d) → (N, C, H, W)."""
        raise NotImplementedError

    def initialise(self, x: Tensor, u: Tensor) -> None:
        """Set actnorms and scales from a first batch x and its noise u."""
        raise NotImplementedError

    def forward(self, x: Tensor, u: Tensor) -> Tensor:
        """Equation (6) in nats an image: (N,)."""
        return objective(self, x, u)

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """u ∼ N(0, I), (n, *noise_shape), on the generator's device."""
        return torch.randn((n, *self.noise_shape), generator=generator, device=generator.device)

    @torch.no_grad()
    def sample(self, n: int, temperature: float, generator: torch.Generator) -> Tensor:
        """n images in [-1, 1] from u ∼ N(0, T² I), equation (19)."""
        return self.decode(temperature * self.noise(n, generator).flatten(1)).clamp(-1, 1)


def log_normal_around(x: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """log N(x; mean, σ² I) in nats with one scalar σ: (N, …) → (N,)."""
    dims = x[0].numel()
    squares = (x - mean).square().flatten(1).sum(1)
    return -0.5 * squares * (-2 * log_sigma).exp() - dims * (log_sigma + 0.5 * LOG_2PI)
