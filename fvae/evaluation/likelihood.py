"""Bits per dimension of held-out images: exact for a flow, upper bounds for the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fvae.data.pixels import dequantise
from fvae.models.base import Model
from fvae.objective import Bounds, bits_per_dim, bounds
from fvae.progress import progress
from fvae.seeding import torch_generator

BATCH = 100


class Bits(NamedTuple):
    """Bits/dim of each image, (N,) each. For a model with an exact likelihood both are that number."""

    elbo: np.ndarray
    iwae: np.ndarray


@torch.no_grad()
def image_bits(model: Model, images: np.ndarray, *, importance_samples: int, seed: int, quiet: bool = False) -> Bits:
    """Bits/dim of each of the uint8 images (N, C, H, W), dequantised.

    Exact by the change of variables for a flow. Otherwise the ELBO, equation (6), estimated with K samples u, and the
    importance-weighted bound with the same K; they are drawn in turn, so that memory does not grow with K.
    """
    model.eval()
    device = next(model.parameters()).device

    def nats(x: Tensor, noise: torch.Generator) -> Bounds:
        if model.exact:
            return bounds([model.nll(x).double()])
        noises = (model.noise(len(x), noise) for _ in range(importance_samples))
        return bounds(loss.double() for loss in model.losses(x, noises))

    parts = []
    for start in progress(range(0, len(images), BATCH), desc="bits/dim", unit="batch", disable=quiet):
        pixels = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        x = dequantise(pixels, torch_generator(seed, "evaluate/dequantise", start, device=device), model.bits)
        noise = torch_generator(seed, "evaluate/noise", start, device=device)
        parts.append(bits_per_dim(torch.stack(nats(x, noise)), model.dims, model.bits).cpu().numpy())
    return Bits(*np.concatenate(parts, axis=1))
