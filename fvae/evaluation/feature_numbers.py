"""FID, FID∞, KID, precision, recall, density and coverage of sets of images, from their Inception features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fvae.evaluation.fid import features, fid, fid_infinity, inception
from fvae.evaluation.fidelity import DENSITY_NEIGHBOURS, MANIFOLD_NEIGHBOURS, SUBSET, SUBSETS, kid, manifolds
from fvae.evaluation.frechet import statistics
from fvae.evaluation.reference import Reference
from fvae.evaluation.spread import with_deviations
from fvae.training.machine import default_device


def feature_numbers(
    draws: Sequence[np.ndarray] | np.ndarray, reference: Reference, weights: Path, seed: int
) -> dict[str, Any]:
    """The content of fid.json for sets of N images, (N, C, H, W) each, beside the training images of a reference.

    Each number is the mean over the sets; NAME_standard_deviation and NAME_draws are beside it.
    """
    device = default_device()
    network = inception(weights, device)
    numbers = with_deviations([from_features(features(each, network, device), reference, seed) for each in draws])
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
