"""The Fréchet Inception distance (Heusel et al. 2017) by the pytorch-fid package, from arrays instead of folders."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from unittest.mock import patch

import numpy as np
import pytorch_fid.inception
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from pytorch_fid.inception import InceptionV3

from fvae.errors import UserError
from fvae.progress import progress
from fvae.seeding import numpy_generator

BATCH = 50
POINTS = 5  # of the line that gives FID∞
SUBSET_PER_FEATURE = 2  # images a feature in the smallest subset, below which the line is none
AGREE, ROUNDING = 1e-3, 1e-6  # between two ways to FID: relative to it, and to the covariances' traces
Statistics = tuple[np.ndarray, np.ndarray]


def inception(weights: Path, device: torch.device | str) -> InceptionV3:
    """pytorch-fid's network up to its 2048 pooled features, with the weights of a local file.

    Nothing is downloaded. Raises UserError where the file cannot be read as weights of this network.
    """

    def from_file(*args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:
        return torch.load(weights, weights_only=True, map_location="cpu")

    try:
        with patch.object(pytorch_fid.inception, "load_state_dict_from_url", from_file):
            network = InceptionV3([InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    except (OSError, EOFError, RuntimeError, TypeError, UnpicklingError) as error:
        reason = getattr(error, "strerror", None) or "not the state of that network"
        raise UserError(f"{weights}: cannot be read as the weights of FID's network ({reason})") from error
    return network.eval().to(device)


@torch.no_grad()
def features(images: np.ndarray, network: InceptionV3, device: torch.device | str, batch: int = BATCH) -> np.ndarray:
    """The features of uint8 images (N, 3, H, W): (N, 2048) float32.

    The network gets what pytorch-fid gives it for PNG files, [0, 1], and itself resizes to 299×299 and scales to
    [-1, 1]. Raises UserError for images that are not RGB.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != np.uint8:
        raise UserError(f"FID: uint8 images (N, 3, H, W) are needed, not {images.dtype} of shape {images.shape}")
    found = np.empty((len(images), 2048), np.float32)
    for start in progress(range(0, len(images), batch), desc="Inception features", unit="batch"):
        pixels = torch.from_numpy(np.array(images[start : start + batch])).to(device)
        found[start : start + batch] = network(pixels.float() / 255)[0].flatten(1).cpu().numpy()
    return found


def statistics(found: np.ndarray) -> Statistics:
    """Mean (D,) and covariance (D, D) of features (N, D). Raises UserError for fewer than two images."""
    if len(found) < 2:
        raise UserError(f"FID: at least two images are needed, not {len(found)}")
    found = found.astype(np.float64)
    return found.mean(0), np.cov(found, rowvar=False)


def square_root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance (D, D)."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def fid(real: Statistics, root: np.ndarray, fake: Statistics) -> float:
    """|μ₁ - μ₂|² + Tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½) of two sets, by pytorch-fid; `root` is the real Σ₁^½.

    Raises UserError where it is not a finite real number, or where SciPy's square root has not converged.
    """
    if not all(np.isfinite(values).all() for values in (*real, *fake)):
        raise UserError("FID: features that are not finite numbers; are the images and the weights sound?")
    try:
        distance = float(calculate_frechet_distance(*real, *fake))
    except ValueError as error:
        raise UserError(f"FID: the covariances have no real square root ({error}); take more images") from error
    if not np.isfinite(distance):
        raise UserError("FID: the distance is not finite; take more images")
    check, scale = symmetric(real, root, fake), np.trace(real[1]) + np.trace(fake[1])
    if abs(distance - check) > AGREE * abs(check) + ROUNDING * scale:
        raise UserError(
            f"FID: the matrix square root has not converged: {distance:.6g} by SciPy's, {check:.6g} by eigenvalues; "
            "take more images"
        )
    return distance


def symmetric(real: Statistics, root: np.ndarray, fake: Statistics) -> float:
    """The same by Tr (Σ₁Σ₂)^½ = Tr (Σ₁^½ Σ₂ Σ₁^½)^½, the root of a symmetric matrix: its eigenvalues suffice."""
    trace = np.sqrt(np.linalg.eigvalsh(root @ fake[1] @ root).clip(0)).sum()
    return float(((real[0] - fake[0]) ** 2).sum() + np.trace(real[1]) + np.trace(fake[1]) - 2 * trace)


def fid_infinity(real: Statistics, root: np.ndarray, fake: np.ndarray, distance: float, seed: int) -> float | None:
    """FID without its bias in the number of samples (Chong & Forsyth 2020), from features (N, D) of samples.

    FID is linear in 1/N to first order: the line through `distance`, their FID, and those of subsets of down to N/2, at
    1/N = 0. Of N near D or less FID is not that line: None where N/2 is less than SUBSET_PER_FEATURE · D.
    """
    if len(fake) // 2 < SUBSET_PER_FEATURE * fake.shape[1]:
        return None
    rng = numpy_generator(seed, "fid_infinity")
    inverse = np.linspace(1, 2, POINTS) / len(fake)
    subsets = [fake[rng.choice(len(fake), n, replace=False)] for n in (1 / inverse[1:]).round().astype(int)]
    distances = [distance, *(symmetric(real, root, statistics(subset)) for subset in subsets)]
    return float(np.polynomial.Polynomial.fit(inverse, distances, 1)(0.0))
