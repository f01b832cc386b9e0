"""The metrics of a trained model as JSON: each number with what it is, over how many images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fvae.errors import UserError
from fvae.evaluation.likelihood import image_bits
from fvae.evaluation.reference import Reference
from fvae.evaluation.sampling import decode, encode
from fvae.evaluation.sharpness import high_frequency_db, psnr, spectrum, ssim
from fvae.evaluation.swd import swd
from fvae.models.base import Model
from fvae.params import FID, SWD, BitsPerDim, Sampling, Sharpness
from fvae.training.machine import default_device

FROM_FEATURES = ("fid", "fid_infinity", "kid", "kid_deviation", "precision", "recall", "density", "coverage")


def bits_per_dim(model: Model, test: np.ndarray, settings: BitsPerDim, seed: int) -> dict[str, Any]:
    """Bits/dim of held-out images with their standard errors over images; bounds unless the model is exact."""
    images = test[: settings.images]
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


def sliced_wasserstein(
    samples: np.ndarray, train: np.ndarray, test: np.ndarray, settings: SWD, seed: int
) -> dict[str, Any]:
    """SWD × 10³ between samples and test images, by level and their mean; that of training images is the floor."""
    images = min(settings.images, len(samples), len(train), len(test))

    def distance(others: np.ndarray) -> dict[str, Any]:
        levels = swd(test[:images], others[:images], patches=settings.patches, seed=seed, device=default_device())
        return {"swd": levels, "mean": float(np.mean(list(levels.values())))}

    return {**distance(samples), "images": images, "training_images": distance(train)}


def sharpness(model: Model, samples: np.ndarray, test: np.ndarray, settings: Sharpness) -> dict[str, Any]:
    """Power of samples and of reconstructions at high frequencies; how near reconstructions are to their images."""
    images = min(len(samples), len(test))
    real = test[: settings.images]
    again = decode(model, encode(model, real), quiet=True)
    rings = {"test": spectrum(test[:images]), "samples": spectrum(samples[:images])}
    rings["reconstructed"], rings["reconstructions"] = spectrum(real), spectrum(again)
    return {
        "high_frequency_db": high_frequency_db(rings["samples"], rings["test"]),
        "images": images,
        "reconstructions": {
            "high_frequency_db": high_frequency_db(rings["reconstructions"], rings["reconstructed"]),
            "psnr": psnr(real, again),
            "ssim": ssim(real, again),
            "images": len(real),
        },
        "spectrum": {"radius": list(range(len(rings["test"])))} | {name: list(each) for name, each in rings.items()},
    }


def by_temperature(sheets: np.ndarray, test: np.ndarray, settings: Sampling, patches: int, seed: int) -> dict[str, Any]:
    """SWD × 10³, its mean over levels, between samples at each temperature and test images."""
    images, device = min(sheets.shape[1], len(test)), default_device()
    levels = [swd(test[:images], samples[:images], patches=patches, seed=seed, device=device) for samples in sheets]
    distances = [float(np.mean(list(level.values()))) for level in levels]
    return {"temperatures": list(settings.temperatures.temperatures), "swd": distances, "images": images}


def inception_metrics(
    samples: np.ndarray, reference: Reference | str, settings: FID, weights: dict[str, str | None], seed: int
) -> dict[str, Any]:
    """FID and its kin between samples and training images, in one pass; None with the reason without weights."""
    if isinstance(reference, str) or weights["path"] is None:
        reason = reference if isinstance(reference, str) else weights["reason"]
        return {**dict.fromkeys(FROM_FEATURES), "reason": reason}
    if len(samples) < settings.images:
        raise UserError(f"evaluation.fid.images: {settings.images}, but sampling.random.images is {len(samples)}")
    from fvae.evaluation.fid import features, fid, fid_infinity, inception, statistics
    from fvae.evaluation.fidelity import SUBSET, SUBSETS, kid, manifolds

    device = default_device()
    found = features(samples[: settings.images], inception(Path(weights["path"]), device), device)
    distance = fid(reference.statistics, reference.root, statistics(found))
    infinity = fid_infinity(reference.statistics, reference.root, found, distance, seed)
    kernel, deviation = kid(reference.features, found, seed, device)
    kept = min(len(reference.features), len(found))
    return {
        "reason": None,
        "fid": distance,
        "fid_infinity": infinity,
        "fid_infinity_reason": None if infinity is not None else too_few(found),
        "kid": kernel,
        "kid_deviation": deviation,
        **manifolds(reference.features, found, device)._asdict(),
        "images": len(found),
        "reference_images": reference.images,
        "kid_images": {"samples": len(found), "reference": len(reference.features), "subset": min(SUBSET, kept)},
        "kid_subsets": SUBSETS,
        "manifold_images": kept,
    }


def too_few(found: np.ndarray) -> str:
    """Why there is no FID∞ of features (N, D)."""
    n, dims = found.shape
    return (
        f"its smallest subset would have {n // 2:,} images, less than twice the {dims:,} features; "
        f"evaluation.fid.images of {4 * dims:,} or more give it"
    )
