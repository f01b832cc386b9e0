"""Bits per dimension of the test images."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation.likelihood import image_bits
from fvae.evaluation.trained import load_trained
from fvae.models.base import Model
from fvae.params import BitsPerDim, Experiment


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`bits_per_dim` of a run's model."""
    test = load(layout.data(experiment_name)).split("test")
    return bits_per_dim(load_trained(experiment, run), test, experiment.evaluation.bpd, int(run.seed))


def bits_per_dim(model: Model, test: np.ndarray, settings: BitsPerDim, seed: int) -> dict[str, Any]:
    """Bits/dim of random held-out images with their standard errors over images; bounds unless the model is exact."""
    images = random_images(test, settings.images, "evaluate/test")
    bits = image_bits(model, images, importance_samples=settings.importance_samples, seed=seed)

    def standard_error(values: np.ndarray) -> float:
        return float(values.std(ddof=1) / np.sqrt(len(values)))

    return {
        "bpd": float(bits.iwae.mean()),
        "standard_error": standard_error(bits.iwae),
        "bound": not model.exact,
        "elbo": None if model.exact else float(bits.elbo.mean()),
        "elbo_standard_error": None if model.exact else standard_error(bits.elbo),
        "importance_samples": None if model.exact else settings.importance_samples,
        "images": len(images),
    }
