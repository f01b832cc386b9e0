"""Distances of feature sets beyond means and covariances: KID, precision, recall, density, coverage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fvae.seeding import numpy_generator

SUBSETS, SUBSET = 100, 1000  # of KID
MANIFOLD_NEIGHBOURS = 3  # of precision and recall, as in their paper
DENSITY_NEIGHBOURS = 5  # of density and coverage, as in theirs
ROWS = 1000  # of a block of distances


def kid(real: np.ndarray, fake: np.ndarray, seed: int, device: torch.device | str = "cpu") -> tuple[float, float]:
    """The kernel Inception distance (Bińkowski et al. 2018) of features (N, D) and (M, D): mean and deviation.

    The unbiased squared MMD with the kernel (x·y / D + 1)³, over random subsets; it may be negative.
    """
    rng = numpy_generator(seed, "kid")
    n = min(SUBSET, len(real), len(fake))
    sets = [torch.from_numpy(features.astype(np.float64)).to(device) for features in (real, fake)]
    values = [
        mmd(*(features[torch.from_numpy(rng.choice(len(features), n, replace=False))] for features in sets))
        for _ in range(SUBSETS)
    ]
    return float(np.mean(values)), float(np.std(values, ddof=1))


def mmd(x: Tensor, y: Tensor) -> float:
    """The unbiased estimate of the squared MMD of (n, D) and (n, D)."""
    n, dims = x.shape
    xx, yy, xy = ((a @ b.T / dims + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = (xx.sum() - xx.trace() + yy.sum() - yy.trace()) / (n * (n - 1))
    return float(within - 2 * xy.mean())


class Manifolds(NamedTuple):
    """Three shares in [0, 1], and density, which may exceed 1."""

    precision: float  # of fakes within a real image's neighbourhood (Kynkäänniemi et al. 2019)
    recall: float  # of real images within a fake's neighbourhood
    density: float  # real neighbourhoods that a fake lies in, over k (Naeem et al. 2020)
    coverage: float  # of real neighbourhoods with a fake in them


def manifolds(real: np.ndarray, fake: np.ndarray, device: torch.device | str = "cpu") -> Manifolds:
    """The four shares for features (N, D) and (M, D), of which the first min(N, M) of each are used.

    Memory grows with N + M and not with N · M. A neighbourhood includes its border in precision and recall and excludes
    it in density and coverage, as in the code of their authors.
    """
    n = min(len(real), len(fake))
    a, b = (torch.from_numpy(features[:n].astype(np.float32)).to(device) for features in (real, fake))
    own = {k: radii(a, k) for k in (MANIFOLD_NEIGHBOURS, DENSITY_NEIGHBOURS)}
    theirs = radii(b, MANIFOLD_NEIGHBOURS)
    precise = torch.zeros(n, dtype=torch.bool, device=a.device)
    dense = torch.zeros(n, device=a.device)
    recalled, covered = [], []
    for start in range(0, n, ROWS):  # real images against all fakes
        rows = slice(start, start + ROWS)
        distances = torch.cdist(a[rows], b)
        precise |= (distances <= own[MANIFOLD_NEIGHBOURS][rows, None]).any(0)
        inside = distances < own[DENSITY_NEIGHBOURS][rows, None]
        dense += inside.sum(0)
        covered.append(inside.any(1))
        recalled.append((distances <= theirs[None]).any(1))
    return Manifolds(
        float(precise.float().mean()),
        float(torch.cat(recalled).float().mean()),
        float(dense.mean()) / DENSITY_NEIGHBOURS,
        float(torch.cat(covered).float().mean()),
    )


def radii(features: Tensor, k: int) -> Tensor:
    """The distance of each of the features (N, D) to its k-th nearest neighbour: (N,)."""
    found = [
        torch.cdist(features[start : start + ROWS], features).kthvalue(min(k + 1, len(features)), dim=1).values
        for start in range(0, len(features), ROWS)
    ]
    return torch.cat(found)
