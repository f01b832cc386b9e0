"""Tests over seeds, their intervals, and the correction for making many of them. Each p is two-sided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.stats import PermutationMethod, mannwhitneyu, norm, ttest_ind

LEVEL = 0.95  # of an interval
SIGNIFICANT = 1 - LEVEL
ORDERS = 20_000  # permutations of a rank test: all of them up to eight seeds of each model, more at random


@dataclass(frozen=True)
class Estimate:
    """An effect with its interval."""

    effect: float
    low: float
    high: float


def welch(ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    """The difference of the means with Welch's interval; the groups need not have the same variance."""
    interval = ttest_ind(ours, theirs, equal_var=False).confidence_interval(LEVEL)
    return Estimate(float(ours.mean() - theirs.mean()), float(interval.low), float(interval.high))


def p_of_difference(ours: np.ndarray, theirs: np.ndarray, against: float = 0.0) -> float:
    """p of the hypothesis that the means differ by exactly `against`, by Welch's test.

    It is below 0.05 exactly where `against` lies outside the 95 % interval.
    """
    return float(ttest_ind(ours - against, theirs, equal_var=False).pvalue)


def p_of_equality(ours: np.ndarray, theirs: np.ndarray, margin: float) -> float:
    """p of the hypothesis that the means differ by `margin` or more, by two one-sided tests (Schuirmann 1987).

    It is twice the larger of theirs: below 0.05 exactly where the whole 95 % interval lies within ±margin.
    """
    above = ttest_ind(ours + margin, theirs, equal_var=False, alternative="greater").pvalue
    below = ttest_ind(ours - margin, theirs, equal_var=False, alternative="less").pvalue
    return min(1.0, 2 * float(max(above, below)))


def p_of_order(ours: np.ndarray, theirs: np.ndarray) -> float:
    """p of the exact Mann-Whitney test, which knows of the numbers their order alone; ties are allowed."""
    method = PermutationMethod(n_resamples=ORDERS, random_state=np.random.default_rng(0))
    return float(mannwhitneyu(ours, theirs, method=method).pvalue)


def smallest_p_of_order(ours: int, theirs: int) -> float:
    """The p of groups of these sizes that do not overlap at all."""
    return 2 / comb(ours + theirs, ours)


def hodges_lehmann(ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    """The median of the differences of all pairs, with the interval that belongs to the Mann-Whitney test.

    Its ends are the k-th smallest and the k-th largest difference; k by the normal approximation, rounded down, so that
    the interval is rather too wide (Conover 1999, section 5.4).
    """
    differences = np.sort(np.subtract.outer(ours, theirs).ravel())
    n, m = len(ours), len(theirs)
    spread = np.sqrt(n * m * (n + m + 1) / 12)
    k = max(1, int(n * m / 2 - norm.ppf((1 + LEVEL) / 2) * spread))
    return Estimate(float(np.median(differences)), float(differences[k - 1]), float(differences[-k]))


def holm(p: Sequence[float], most_true: int) -> list[float]:
    """The corrected p of each of several tests, of whose hypotheses at most `most_true` can be true together.

    The j-th smallest of n is multiplied by n - j + 1 (Holm 1979), or by `most_true` where that is less (Shaffer 1986),
    and is at least as large as the one before it.
    """
    corrected, largest = [0.0] * len(p), 0.0
    for place, index in enumerate(np.argsort(p, kind="stable")):
        largest = max(largest, min(1.0, p[index] * min(most_true, len(p) - place)))
        corrected[index] = largest
    return corrected
