"""Tests over seeds, their intervals, and the correction for making many of them. Each p is two-sided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.special import stdtr, stdtrit  # Student's t: its distribution and quantiles
from scipy.stats import PermutationMethod, mannwhitneyu, norm

LEVEL = 0.95  # of an interval
SIGNIFICANT = 1 - LEVEL
ORDERS = 20_000  # permutations of a rank test: all of them up to eight seeds of each model, more at random


@dataclass(frozen=True)
class Estimate:
    """An effect with its interval."""

    effect: float
    low: float
    high: float


@dataclass(frozen=True)
class Welch:
    """The difference of the means of two groups, whose variances may differ (Welch 1947)."""

    difference: float
    error: float  # its standard error
    degrees: float  # of freedom, by Welch and Satterthwaite

    def estimate(self) -> Estimate:
        """The difference with its interval."""
        half = float(stdtrit(self.degrees, (1 + LEVEL) / 2)) * self.error
        return Estimate(self.difference, self.difference - half, self.difference + half)

    def p_of_difference(self, against: float) -> float:
        """p of the hypothesis that the means differ by exactly `against`.

        It is below 0.05 exactly where `against` lies outside the 95 % interval.
        """
        return 2 * self._below(-abs(self.difference - against))

    def p_of_equality(self, margin: float) -> float:
        """p of the hypothesis that the means differ by `margin` or more, by two one-sided tests (Schuirmann 1987).

        It is twice the larger of theirs: below 0.05 exactly where the whole 95 % interval lies within ±margin.
        """
        return min(1.0, 2 * self._below(abs(self.difference) - margin))

    def _below(self, difference: float) -> float:
        """The probability of a smaller difference where the means are equal."""
        return float(stdtr(self.degrees, difference / self.error))


def welch(ours: np.ndarray, theirs: np.ndarray) -> Welch:
    """Welch's comparison of two groups, of two or more numbers each, that are not all the same."""
    parts = np.array([group.var(ddof=1) / len(group) for group in (ours, theirs)])
    degrees = parts.sum() ** 2 / (parts**2 / [len(ours) - 1, len(theirs) - 1]).sum()
    return Welch(float(ours.mean() - theirs.mean()), float(np.sqrt(parts.sum())), float(degrees))


def p_of_order(ours: np.ndarray, theirs: np.ndarray) -> float:
    """p of the exact Mann-Whitney test, which depends only on the order of the numbers; ties are allowed."""
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
