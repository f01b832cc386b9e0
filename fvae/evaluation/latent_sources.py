"""What the flow adds: one decoder G, and latents v from simpler and simpler stand-ins for their true distribution."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from fvae.data.pixels import dequantise
from fvae.evaluation.sampling import BATCH, decode, decode_batches, latents
from fvae.models.base import Model
from fvae.models.fvae import FVAE
from fvae.seeding import numpy_generator, torch_generator

TRAINING_IMAGES = 5_000  # of whose latents the means, deviations and covariance are


@torch.no_grad()
def images_of_sources(model: Model, train: np.ndarray, images: int, seed: int) -> np.ndarray:
    """G(v) as uint8 for v from each source, (S, images, C, H, W), S = 3, or 4 for a model with a flow F, in this order.

    standard: v ∼ N(0, I).
    marginals: independent Gaussians with the mean and the deviation that each coordinate of v = E(x) + σu has.
    gaussian: a Gaussian with the mean and the full covariance of v.
    flow: v = F⁻¹(z), z ∼ N(0, I), as the model itself samples.
    `train` are the uint8 training images (N, C, H, W) of which v is taken.
    """
    model.eval()
    device = next(model.parameters()).device
    generator = torch_generator(seed, "sources", device=device)
    chosen = numpy_generator(seed, "sources").permutation(len(train))[:TRAINING_IMAGES]
    known = latents_of(model, train[np.sort(chosen)], generator)
    noise = [torch.randn((images, known.shape[1]), generator=generator, device=device) for _ in range(2)]
    sources = [noise[0], known.mean(0) + known.std(0) * noise[1], gaussian_like(known, images, generator)]
    batches = [source.unflatten(1, model.noise_shape).split(BATCH) for source in sources]
    decoded = [decode_batches(model, model.decoder, each, images, quiet=True) for each in batches]
    if isinstance(model, FVAE):
        decoded.append(decode(model, latents(model, images, generator), quiet=True))
    return np.stack(decoded)


def latents_of(model: Model, images: np.ndarray, generator: torch.Generator) -> Tensor:
    """v = F⁻¹(F_x(u)) with one u for each of the uint8 images (N, C, H, W): (N, d)."""
    found = []
    for start in range(0, len(images), BATCH):
        pixels = torch.from_numpy(np.array(images[start : start + BATCH])).to(generator.device)
        x = dequantise(pixels, generator, model.bits)
        found.append(model.posterior(x, model.noise(len(x), generator)).v.flatten(1))
    return torch.cat(found)


def gaussian_like(known: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """n draws from the Gaussian that has the sample mean and the sample covariance of `known`, (N, d): (n, d).

    They are random combinations of the N centred rows, so that no (d, d) covariance is needed.
    """
    weights = torch.randn((n, len(known)), generator=generator, device=known.device) / (len(known) - 1) ** 0.5
    mean = known.mean(0)
    return mean + weights @ (known - mean)
