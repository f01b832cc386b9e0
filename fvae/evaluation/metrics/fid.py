"""FID, FID∞, KID, precision, recall, density and coverage: all from one pass of each image through Inception."""

from __future__ import annotations

from collections.abc import Sequence
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
from fvae.evaluation.spread import by_key, deviation, mean
from fvae.files import read_array, read_json
from fvae.params import Experiment
from fvae.results import InceptionStatus
from fvae.training.machine import default_device

FROM_FEATURES = ("fid", "fid_infinity", "kid", "kid_deviation", "precision", "recall", "density", "coverage")
NOTHING: dict[str, Any] = {key: None for name in FROM_FEATURES for key in (name, f"{name}_standard_deviation")}


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`inception_metrics` of each draw of a run's random samples beside the reference set: all training images."""
    images = load(layout.data(experiment_name))
    draws = read_array(run.samples("random"), "sample random", dims=5)
    reference = load_reference(layout.reference(experiment_name), digest(images))
    weights = read_json(layout.INCEPTION_STATUS, "inception", InceptionStatus)
    settings = experiment.evaluation.fid
    if not isinstance(reference, str) and draws.shape[1] < settings.images:
        raise UserError(f"evaluation.fid.images: {settings.images}, but sampling.random.images is {draws.shape[1]}")
    return inception_metrics(draws[:, : settings.images], reference, weights, int(run.seed))


def inception_metrics(
    draws: Sequence[np.ndarray] | np.ndarray, reference: Reference | str, weights: dict[str, str | None], seed: int
) -> dict[str, Any]:
    """The numbers named in FROM_FEATURES, between sets of N images, (N, C, H, W) each, and training images.

    Each is the mean over the sets; NAME_standard_deviation and NAME_draws are beside it. Without weights all are None,
    with the reason.
    """
    if isinstance(reference, str) or weights["path"] is None:
        return {**NOTHING, "reason": reference if isinstance(reference, str) else weights["reason"]}
    device = default_device()
    network = inception(Path(weights["path"]), device)
    found = [from_features(features(each, network, device), reference, seed) for each in draws]
    numbers: dict[str, Any] = {}
    for name, values in by_key(found).items():
        numbers |= {name: mean(values), f"{name}_standard_deviation": deviation(values), f"{name}_draws": values}
    images, (kept, dims) = len(draws[0]), reference.features.shape
    compared = min(kept, images)
    return {
        "reason": None,
        **numbers,
        "fid_infinity_reason": None if numbers["fid_infinity"] is not None else too_few(images, dims),
        "images": images,
        "reference_images": reference.images,
        "kid_images": {"samples": images, "reference": kept, "subset": min(SUBSET, compared)},
        "kid_subsets": SUBSETS,
        "manifold_images": compared,
        "manifold_neighbours": {"precision_recall": MANIFOLD_NEIGHBOURS, "density_coverage": DENSITY_NEIGHBOURS},
    }


def from_features(found: np.ndarray, reference: Reference, seed: int) -> dict[str, float | None]:
    """The numbers named in FROM_FEATURES of one set's features, (N, 2048)."""
    distance = fid(reference.statistics, reference.root, statistics(found))
    kernel, over_subsets = kid(reference.features, found, seed, default_device())
    return {
        "fid": distance,
        "fid_infinity": fid_infinity(reference.statistics, reference.root, found, distance, seed),
        "kid": kernel,
        "kid_deviation": over_subsets,
        **manifolds(reference.features, found, default_device())._asdict(),
    }


def too_few(images: int, dims: int) -> str:
    """Why there is no FID∞ of so many images and features."""
    return (
        f"its smallest subset would have {images // 2:,} images, less than twice the {dims:,} features; "
        f"evaluation.fid.images of {4 * dims:,} or more give it"
    )
