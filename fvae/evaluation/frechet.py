"""The Fréchet distance between two normal distributions of features, in float64 (Dowson & Landau 1982)."""

from __future__ import annotations

import numpy as np

from fvae.errors import UserError

Statistics = tuple[np.ndarray, np.ndarray]


def statistics(found: np.ndarray) -> Statistics:
    """Mean (D,) and covariance (D, D) of features (N, D). Raises UserError for fewer than two images."""
    if len(found) < 2:
        raise UserError(f"Fréchet distance: at least two images are needed, not {len(found)}")
    found = found.astype(np.float64)
    return found.mean(0), np.cov(found, rowvar=False)


def square_root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance (D, D)."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def frechet(real: Statistics, root: np.ndarray, fake: Statistics) -> float:
    """|μ₁ - μ₂|² + Tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½) of two sets; `root` is Σ₁^½.

    By eigenvalues: Tr (Σ₁Σ₂)^½ = Tr (Σ₁^½ Σ₂ Σ₁^½)^½, which is the root of a symmetric matrix.
    """
    trace = np.sqrt(np.linalg.eigvalsh(root @ fake[1] @ root).clip(0)).sum()
    return float(((real[0] - fake[0]) ** 2).sum() + np.trace(real[1]) + np.trace(fake[1]) - 2 * trace)
