"""Equation (6), the paper's one objective: VAE, flow and f-VAE are choices of F_x(u) and q(x|z) put into it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


class Posterior(NamedTuple):
    """z = F_x(u), a sample of the posterior p(z|x) of equation (5)."""

    z: Tensor  # (N, d)
    logdet: Tensor  # log|det ∂F_x(u)/∂u|, (N,)
    v: Tensor  # F⁻¹(z), which the decoder decodes; it is known without inverting F


class LatentModel(Protocol):
    """The part of a model that the objective needs: a conditional flow F_x(u) and a decoder q(x|z)."""

    def posterior(self, x: Tensor, u: Tensor) -> Posterior: ...

    def log_likelihood(self, x: Tensor, v: Tensor) -> Tensor: ...


def log_normal(x: Tensor) -> Tensor:
    """log N(x; 0, I) in nats, summed over all but the first dimension: (N, …) → (N,)."""
    return -0.5 * (x.square() + LOG_2PI).sum(tuple(range(1, x.dim())))


def objective(model: LatentModel, x: Tensor, u: Tensor) -> Tensor:
    """The loss of equation (6) in nats per image, one sample u ∼ N(0, I) for each image x: (N, C, H, W) → (N,).

    Its mean over u is the negative ELBO of the continuous x; the constant E log p̃(x) is left out.
    """
    return objective_of(model, x, u, model.posterior(x, u))


def objective_of(model: LatentModel, x: Tensor, u: Tensor, posterior: Posterior) -> Tensor:
    """The loss of equation (6) where z = F_x(u) is known already."""
    z, logdet, v = posterior
    return log_normal(u) - logdet - model.log_likelihood(x, v) - log_normal(z)


class Bounds(NamedTuple):
    """Upper bounds on −log q(x) in nats, (N,) each."""

    elbo: Tensor  # the mean of K losses
    iwae: Tensor  # the tighter −log (1/K) Σₖ exp(−lossₖ) of Burda et al. 2016


def bounds(losses: Iterable[Tensor]) -> Bounds:
    """Both bounds from K ≥ 1 losses of equation (6), (N,) each; only one loss is in memory at a time."""
    losses = iter(losses)
    total = next(losses)
    log_sum, samples = -total, 1
    for loss in losses:
        total, log_sum, samples = total + loss, torch.logaddexp(log_sum, -loss), samples + 1
    return Bounds(total / samples, math.log(samples) - log_sum)


def bits_per_dim(nats: Tensor, dims: int, bits: int = 8) -> Tensor:
    """Nats of a density over [-1, 1]^dims as bits per dimension of an image with 2^bits levels."""
    return nats / (dims * math.log(2)) + (bits - 1)
