"""The measurements during a training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fvae.evaluation.likelihood import image_bits
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.sampling import sample
from fvae.evaluation.swd import DistanceTo, mean_over_levels
from fvae.models.base import Model
from fvae.seeding import torch_generator


def validator(
    images: np.ndarray, *, patches: int, seed: int, portraits: bool = False
) -> Callable[[Model, int], tuple[dict[str, float], np.ndarray]]:
    """A function that measures a model, after so many steps, on uint8 images (N, C, H, W): its numbers, and N samples.

    The numbers are 'bpd' (exact, or the ELBO with one sample of u) and 'swd' of the samples at T = 1 (× 10³); where the
    images are drawn `portraits`, also the samples' 'portrait_distance'.
    """
    distance_to_images = DistanceTo(images, patches=patches, seed=seed)
    portrait_distance = PortraitDistance(images) if portraits else None

    def validate(model: Model, step: int) -> tuple[dict[str, float], np.ndarray]:
        # The images' noise and u are the same at each step, so that bits/dim of two steps differ only by the models.
        bits = image_bits(model, images, importance_samples=1, seed=seed, quiet=True)
        # z is fresh at each step: the same z would shift the whole curve of SWD by one error, and hide how large it is.
        samples = sample(model, len(images), torch_generator(seed, "validate/samples", step), quiet=True)
        measured = {"bpd": float(bits.elbo.mean()), "swd": mean_over_levels(distance_to_images(samples))}
        if portrait_distance:
            measured["portrait_distance"] = portrait_distance(samples)
        return measured, samples

    return validate
