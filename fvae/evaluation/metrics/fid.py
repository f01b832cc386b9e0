"""FID, FID∞, KID, precision, recall, density and coverage: all from one pass of samples through Inception."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load
from fvae.errors import UserError
from fvae.evaluation.fid import features, fid, fid_infinity, inception
from fvae.evaluation.fidelity import DENSITY_NEIGHBOURS, MANIFOLD_NEIGHBOURS, SUBSET, SUBSETS, kid, manifolds
from fvae.evaluation.frechet import statistics
from fvae.evaluation.reference import Reference, digest
from fvae.evaluation.reference import load as load_reference
from fvae.files import read_array, read_json
from fvae.params import FID, Experiment
from fvae.results import InceptionStatus
from fvae.training.machine import default_device

FROM_FEATURES = ("fid", "fid_infinity", "kid", "kid_deviation", "precision", "recall", "density", "coverage")


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`inception_metrics` of a run's random samples beside the reference set: all training images."""
    images = load(layout.data(experiment_name))
    samples = read_array(run.samples("random"), "sample random", dims=4)
    reference = load_reference(layout.reference(experiment_name), digest(images))
    weights = read_json(layout.INCEPTION_STATUS, "inception", InceptionStatus)
    return inception_metrics(samples, reference, experiment.evaluation.fid, weights, int(run.seed))


def inception_metrics(
    samples: np.ndarray, reference: Reference | str, settings: FID, weights: dict[str, str | None], seed: int
) -> dict[str, Any]:
    """The numbers named in FROM_FEATURES, between samples and training images; None with the reason without weights."""
    if isinstance(reference, str) or weights["path"] is None:
        reason = reference if isinstance(reference, str) else weights["reason"]
        return {**dict.fromkeys(FROM_FEATURES), "reason": reason}
    if len(samples) < settings.images:
        raise UserError(f"evaluation.fid.images: {settings.images}, but sampling.random.images is {len(samples)}")
    device = default_device()
    found = features(samples[: settings.images], inception(Path(weights["path"]), device), device)
    distance = fid(reference.statistics, reference.root, statistics(found))
    infinity = fid_infinity(reference.statistics, reference.root, found, distance, seed)
    kernel, deviation = kid(reference.features, found, seed, device)
    compared = min(len(reference.features), len(found))
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
        "kid_images": {
            "samples": len(found),
            "reference": len(reference.features),
            "subset": min(SUBSET, compared),
        },
        "kid_subsets": SUBSETS,
        "manifold_images": compared,
        "manifold_neighbours": {"precision_recall": MANIFOLD_NEIGHBOURS, "density_coverage": DENSITY_NEIGHBOURS},
    }


def too_few(found: np.ndarray) -> str:
    """Why there is no FID∞ of features (N, D)."""
    n, dims = found.shape
    return (
        f"its smallest subset would have {n // 2:,} images, less than twice the {dims:,} features; "
        f"evaluation.fid.images of {4 * dims:,} or more give it"
    )
