"""The sharpness of random samples and of reconstructed test images."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.evaluation.sampling import decode, encode
from fvae.evaluation.sharpness import detail, deviation_db, high_frequency_db, psnr, spectrum, ssim, transfer
from fvae.evaluation.spread import deviation, mean
from fvae.evaluation.trained import load_trained
from fvae.models.base import Model
from fvae.params import Experiment, Sharpness
from fvae.results import read_samples


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`sharpness` of all draws of a run's random samples and of its model's reconstructions."""
    test = load(layout.data(experiment_name)).split("test")
    draws = read_samples(run, "random")
    return sharpness(load_trained(experiment, run), draws, test, experiment.evaluation.sharpness)


def sharpness(model: Model, draws: np.ndarray, test: np.ndarray, settings: Sharpness) -> dict[str, Any]:
    """Power of samples and of reconstructions at high frequencies; how near reconstructions are to their images.

    The decibels of samples, from draws (draws, N, C, H, W), are the mean over draws; their spectrum is too.
    """
    images = min(draws.shape[1], len(test))
    real = random_images(test, settings.images, "evaluate/test")
    reconstructed = decode(model, encode(model, real), quiet=True)
    of_draws = [spectrum(samples[:images]) for samples in draws]
    rings = {
        "test": spectrum(random_images(test, images, "evaluate/test")),
        "samples": np.mean(of_draws, axis=0),
        "reconstructed": spectrum(real),
        "reconstructions": spectrum(reconstructed),
    }
    rings["transfer"] = transfer(reconstructed, real)
    decibels = [high_frequency_db(each, rings["test"]) for each in of_draws]
    return {
        "high_frequency_db": mean(decibels),
        "high_frequency_db_standard_deviation": deviation(decibels),
        "deviation_db": mean([deviation_db(each, rings["test"]) for each in of_draws]),
        "images": images,
        "reconstructions": {
            "detail": detail(rings["transfer"]),
            "high_frequency_db": high_frequency_db(rings["reconstructions"], rings["reconstructed"]),
            "psnr": psnr(real, reconstructed),
            "ssim": ssim(real, reconstructed),
            "images": len(real),
        },
        "spectrum": {"radius": list(range(len(rings["test"])))} | {name: list(each) for name, each in rings.items()},
    }
