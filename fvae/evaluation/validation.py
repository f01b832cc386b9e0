"""The measurements during a training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fvae.evaluation.likelihood import image_bits
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.sampling import decode, latents
from fvae.evaluation.swd import descriptors, distance
from fvae.models.base import Model
from fvae.seeding import torch_generator


def validator(
    images: np.ndarray, *, patches: int, seed: int, portraits: bool
) -> Callable[[Model], tuple[dict[str, float], np.ndarray]]:
    """A function that measures a model on uint8 images (N, C, H, W) and returns its numbers and samples.

    The numbers are 'bpd' (exact, or the ELBO with one sample of u) and 'swd' of samples at T = 1 (× 10³); where the
    images are drawn `portraits`, also their 'portrait_distance'.
    """
    real = descriptors(images, patches=patches, seed=seed)
    portrait_distance = PortraitDistance(images) if portraits else None

    def validate(model: Model) -> tuple[dict[str, float], np.ndarray]:
        bits = image_bits(model, images, importance_samples=1, seed=seed, quiet=True)
        z = latents(model, len(images), torch_generator(seed, "validate/samples"))
        samples = decode(model, z, quiet=True)
        distances = distance(real, descriptors(samples, patches=patches, seed=seed), seed=seed)
        measured = {"bpd": float(bits.elbo.mean()), "swd": float(np.mean(list(distances.values())))}
        if portrait_distance:
            measured["portrait_distance"] = portrait_distance(samples)
        return measured, samples

    return validate
