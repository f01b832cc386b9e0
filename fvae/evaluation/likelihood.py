"""Bits per dimension of held-out 8-bit images: exact for a flow, an upper bound for the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from fvae.data.pixels import dequantise
from fvae.models.base import Model
from fvae.models.glow import Glow
from fvae.objective import bits_per_dim, importance_weighted
from fvae.progress import progress
from fvae.seeding import torch_generator

BATCH = 100


@torch.no_grad()
def image_bits(
    model: Model, images: np.ndarray, *, importance_samples: int, seed: int, quiet: bool = False
) -> np.ndarray:
    """Bits/dim of each of the uint8 images (N, C, H, W), dequantised: (N,).

    Exact by the change of variables for a flow. Otherwise the ELBO, equation (6), with one sample u, or the tighter
    importance-weighted bound with K; K samples are drawn in turn, so that memory does not grow with K.
    """
    model.eval()
    device = next(model.parameters()).device

    def nats(x: Tensor, noise: torch.Generator) -> Tensor:
        if isinstance(model, Glow):
            return model.nll(x).double()
        losses = [model(x, model.noise(len(x), noise)).double() for _ in range(importance_samples)]
        return importance_weighted(torch.stack(losses))

    def batches() -> Iterator[np.ndarray]:
        starts = range(0, len(images), BATCH)
        for start in progress(starts, desc="bits/dim", unit="batch", disable=quiet):
            pixels = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
            x = dequantise(pixels, torch_generator(seed, "evaluate/dequantise", start, device=device))
            noise = torch_generator(seed, "evaluate/noise", start, device=device)
            yield bits_per_dim(nats(x, noise), model.dims).cpu().numpy()

    return np.concatenate(list(batches()))
