"""Bits/dim of an image as a map over its pixels: each term of the likelihood at the place where it arises."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fvae.data.pixels import dequantise
from fvae.flows.coupling import Coupling
from fvae.flows.layer import Layer
from fvae.flows.multiscale import MultiScaleFlow
from fvae.flows.squeeze import squeeze
from fvae.library import TrainedModel
from fvae.library.trained_model import exact_arithmetic
from fvae.models.base import Model
from fvae.models.flow import FlowModel
from fvae.objective import LOG_2PI, log_normal
from fvae.seeding import torch_generator


class BitsMap(NamedTuple):
    """`total` = mean of `pixels` + `latent`, as `TrainedModel.bits_per_dim` with one importance sample."""

    pixels: np.ndarray  # (H, W) bits/dim of each pixel, the mean over its colours
    latent: float  # bits/dim that have no place in the image; zero for a flow
    total: float


@torch.no_grad()
def bits_map(trained: TrainedModel, image: np.ndarray, seed: int = 0) -> BitsMap:
    """Where the bits of an image, uint8 (3, H, W), are spent.

    For a flow all of them have a place: every layer keeps it, but for blocks of pixels that a squeeze joins, over which
    a term is spread evenly. For the others −log q(x|z) has one, and the terms of the latent in equation (6) have none.
    """
    model = trained.model
    pixels = torch.from_numpy(np.array(image))[None].to(trained.device)
    x = dequantise(pixels, torch_generator(seed, "evaluate/dequantise", 0, device=trained.device), model.bits)
    with exact_arithmetic():
        if isinstance(model, FlowModel):
            nats, latent = flow_nats(model.flow, x), x.new_zeros(1)
        else:
            u = model.noise(1, torch_generator(seed, "evaluate/noise", 0, device=trained.device))
            nats, latent = autoencoder_nats(model, x, u)
    channels, height, width = model.shape
    places = nats[0].double().cpu().numpy() / (channels * math.log(2)) + model.bits - 1
    elsewhere = float(latent) / (channels * height * width * math.log(2))
    return BitsMap(places, elsewhere, float(places.mean()) + elsewhere)


def autoencoder_nats(model: Model, x: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Equation (6) in nats: −log q(x|z) of each pixel, (N, H, W), and the terms of the latent, (N,)."""
    z, logdet, v = model.posterior(x, u)
    log_sigma = model.log_sigma2.reshape(-1, 1, 1)  # one for the image, or one for each channel
    squares = (x - model.decoder(v)).square() * (-2 * log_sigma).exp()
    return (0.5 * (squares + LOG_2PI) + log_sigma).sum(1), log_normal(u) - logdet - log_normal(z)


def flow_nats(flow: MultiScaleFlow, x: Tensor) -> Tensor:
    """−log q(x) of each pixel by the change of variables, in nats: (N, C, H, W) → (N, H, W)."""
    side = x.shape[-1]
    nats = x.new_zeros(len(x), *x.shape[2:])
    for level, steps in enumerate(flow.levels):
        x = squeeze(x) if flow.squeezes(level) else x
        for layer in steps.primitives():  # type: ignore[operator]
            nats -= spread(local_logdet(layer, x), side)
            x, _ = layer(x)
        if level < len(flow.splits):
            split = flow.splits[level]
            x, left, _ = split(x)
            log_s, _ = split.scale_and_shift(x)  # type: ignore[operator]
            nats -= spread(log_s.sum(1) + local_log_normal(left), side)
    nats -= spread(local_logdet(flow.last, x), side)
    x, _ = flow.last(x)
    return nats - spread(local_log_normal(x), side)


def local_logdet(layer: Layer, x: Tensor) -> Tensor:
    """What each place adds to the log-determinant of a layer at x: (N, C, H, W) → (N or 1, H, W)."""
    if isinstance(layer, Coupling):
        x1, x2 = layer.split(x)
        h = layer.network(x1)
        scale = layer.move(torch.ones_like(x2), h)[0] - layer.move(torch.zeros_like(x2), h)[0]
        return scale.log().sum(1)
    height, width = x.shape[2:]
    logdet = torch.as_tensor(layer(x)[1], device=x.device)  # the same for every x and at every place
    return (logdet / (height * width)).expand(1, height, width)


def local_log_normal(z: Tensor) -> Tensor:
    """log N(z; 0, I) of each place: (N, C, H, W) → (N, H, W)."""
    return -0.5 * (z.square() + LOG_2PI).sum(1)


def spread(values: Tensor, side: int) -> Tensor:
    """Values of places, (N, h, w), evenly over the pixels that each covers: (N, side, side), of the same sum."""
    block = side // values.shape[-1]
    return values.repeat_interleave(block, 1).repeat_interleave(block, 2) / block**2
