"""The sharpness of random samples and of reconstructed test images."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load
from fvae.evaluation.sampling import decode, encode
from fvae.evaluation.sharpness import detail, deviation_db, high_frequency_db, psnr, spectrum, ssim, transfer
from fvae.evaluation.trained import load_trained
from fvae.files import read_array
from fvae.models.base import Model
from fvae.params import Experiment, Sharpness


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`sharpness` of a run's random samples and of its model's reconstructions."""
    test = load(layout.data(experiment_name)).split("test")
    samples = read_array(run.samples("random"), "sample random", dims=4)
    return sharpness(load_trained(experiment, run), samples, test, experiment.evaluation.sharpness)


def sharpness(model: Model, samples: np.ndarray, test: np.ndarray, settings: Sharpness) -> dict[str, Any]:
    """Samples and reconstructions at high frequencies; how near reconstructions are to their images."""
    images = min(len(samples), len(test))
    real = test[: settings.images]
    reconstructed = decode(model, encode(model, real), quiet=True)
    rings = {
        "test": spectrum(test[:images]),
        "samples": spectrum(samples[:images]),
        "reconstructed": spectrum(real),
        "reconstructions": spectrum(reconstructed),
    }
    rings["transfer"] = transfer(reconstructed, real)
    return {
        "high_frequency_db": high_frequency_db(rings["samples"], rings["test"]),
        "deviation_db": deviation_db(rings["samples"], rings["test"]),
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
