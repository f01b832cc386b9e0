"""The statistics of the claims, each against a calculation of its own."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from fvae.paper.rules.statistics import (
    hodges_lehmann,
    holm,
    p_of_order,
    smallest_p_of_order,
    welch,
)

RNG = np.random.default_rng(1)
OURS, THEIRS = np.array([3.1, 2.7, 3.6, 3.3, 2.9]), np.array([3.9, 4.4, 3.0, 4.9, 4.1, 5.2])


@pytest.mark.parametrize("against", [0.0, -1.5, 0.2])
def test_welch_is_scipy_s(against):
    found, estimate = welch(OURS, THEIRS), welch(OURS, THEIRS).estimate()
    theirs = stats.ttest_ind(OURS - against, THEIRS, equal_var=False)
    assert found.p_of_difference(against) == pytest.approx(theirs.pvalue)
    assert found.degrees == pytest.approx(theirs.df)
    interval = theirs.confidence_interval(0.95)
    assert estimate.effect == pytest.approx(OURS.mean() - THEIRS.mean())
    assert (estimate.low, estimate.high) == pytest.approx((interval.low + against, interval.high + against))


def test_equality_is_two_one_sided_tests():
    ours, theirs = RNG.normal(0.01, 0.01, 6), RNG.normal(0, 0.02, 5)
    above = stats.ttest_ind(ours + 0.03, theirs, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(ours - 0.03, theirs, equal_var=False, alternative="less").pvalue
    assert welch(ours, theirs).p_of_equality(0.03) == pytest.approx(2 * max(above, below))
    assert welch(ours + 1, theirs).p_of_equality(0.05) == 1


def test_a_p_is_below_005_exactly_where_the_interval_says_it():
    found, estimate = welch(OURS, THEIRS), welch(OURS, THEIRS).estimate()
    for end in (estimate.low, estimate.high):
        assert found.p_of_difference(end) == pytest.approx(0.05)
    farthest = max(abs(estimate.low), abs(estimate.high))
    assert found.p_of_equality(farthest) == pytest.approx(0.05)
    assert found.p_of_equality(1.01 * farthest) < 0.05 < found.p_of_equality(0.99 * farthest)


def every_split(ours, theirs):
    """The exact two-sided p: of all ways to deal the numbers to two groups, how many rank sums are as extreme."""
    ranks = stats.rankdata([*ours, *theirs])
    sums = np.array([ranks[list(chosen)].sum() for chosen in combinations(range(len(ranks)), len(ours))])
    observed = ranks[: len(ours)].sum()
    return min(1, 2 * min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean()))


@pytest.mark.parametrize(
    "pair",
    [
        (OURS, THEIRS),
        ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]),
        ([1, 1, 2, 4, np.inf], [2, 5, np.inf, np.inf, np.inf]),  # ties, and runs that never arrive
        ([1, 2, 3], [1, 2, 3]),
    ],
)
def test_the_rank_test_counts_every_split(pair):
    ours, theirs = (np.array(each, float) for each in pair)
    assert p_of_order(ours, theirs) == pytest.approx(every_split(ours, theirs))


def test_no_rank_test_has_a_smaller_p_than_that_of_groups_that_do_not_overlap():
    assert smallest_p_of_order(5, 5) == pytest.approx(every_split(range(5), range(5, 10))) == pytest.approx(2 / 252)
    assert smallest_p_of_order(7, 7) == pytest.approx(2 / 3432)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (6, 6), (7, 7), (8, 5), (8, 8)])
def test_the_interval_of_the_rank_test_keeps_its_level(n, m):
    """Of two groups from one distribution, 0 lies outside in at most 5 % of all splits: exactly, by enumeration."""
    values = np.arange(n + m, dtype=float) ** 1.7
    outside = splits = 0
    for chosen in combinations(range(n + m), n):
        mask = np.zeros(n + m, bool)
        mask[list(chosen)] = True
        differences = np.sort(np.subtract.outer(values[mask], values[~mask]).ravel())
        if splits == 0:
            found = hodges_lehmann(values[mask], values[~mask])
            k = int((differences < found.low).sum()) + 1
            assert found.effect == np.median(differences)
            assert found.high == differences[-k]
        outside += differences[k - 1] > 0 or differences[-k] < 0
        splits += 1
    assert 0.01 < outside / splits <= 0.05


def closed(p, most_true):
    """Corrected p by closed testing: every set of hypotheses that may be true together, by Bonferroni."""
    every = [subset for size in range(1, min(most_true, len(p)) + 1) for subset in combinations(range(len(p)), size)]
    return [max(min(1, len(s) * min(p[i] for i in s)) for s in every if index in s) for index in range(len(p))]


@pytest.mark.parametrize("most_true", [1, 2, 4, 7, 9])
def test_the_correction_is_closed_testing(most_true):
    for _ in range(20):
        p = RNG.uniform(0, 1, 7) ** 3
        assert holm(p, most_true) == pytest.approx(closed(p, most_true))


def test_holm_s_own_example_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005], 4) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([], 0) == []
