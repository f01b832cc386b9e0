"""What is measured of a model while it trains."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fvae.evaluation.likelihood import image_bits
from fvae.evaluation.sampling import decode, latents
from fvae.evaluation.swd import descriptors, distance
from fvae.models.base import Model
from fvae.seeding import torch_generator


def validator(images: np.ndarray, *, patches: int, seed: int) -> Callable[[Model], dict[str, float]]:
    """A function that measures bits/dim (ELBO with one sample, or exact) and the SWD of samples at T = 1."""
    real = descriptors(images, patches=patches, seed=seed)

    def validate(model: Model) -> dict[str, float]:
        bits = image_bits(model, images, importance_samples=1, seed=seed, quiet=True)
        z = latents(model, len(images), torch_generator(seed, "validate/samples"))
        fake = descriptors(decode(model, z, quiet=True), patches=patches, seed=seed)
        distances = distance(real, fake, seed=seed)
        return {"bpd": float(bits.elbo.mean()), "swd": float(np.mean(list(distances.values())))}

    return validate
