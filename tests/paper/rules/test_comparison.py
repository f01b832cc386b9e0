"""Comparisons of made-up numbers: what is refused, what is found, and how often by chance."""

import math

import numpy as np
import pytest

from fvae.paper.rules.comparison import RATIO, Finding, Question, compare, compare_orders, correct, significant

A = [20.0, 20.4, 19.7, 20.1, 20.3]
B = [30.2, 29.7, 30.9, 30.0, 29.5]


def made(ours, theirs, question=RATIO, refusal=None):
    return compare("fvae", "glow", "SWD × 10³", {"fvae": ours, "glow": theirs}, question, refusal)


def found(ours, theirs, question=RATIO):
    comparison = made(ours, theirs, question)
    correct([comparison])
    return comparison.finding


def test_findings():
    assert found(A, B) == Finding.LOWER
    assert found(B, A) == Finding.HIGHER
    assert found(A, [1.002 * each for each in A]) == Finding.SAME
    assert found([10.0, 20.0, 30.0, 40.0, 50.0], [12.0, 18.0, 33.0, 41.0, 44.0]) == Finding.UNCLEAR


def test_a_difference_that_is_significant_but_small_is_equality():
    close = [20.0, 20.001, 20.002, 20.003, 20.004]
    comparison = made(close, [1.01 * each for each in close])
    correct([comparison])
    assert comparison.corrected["difference"] < 1e-9
    assert comparison.finding == Finding.SAME


def test_the_effect_is_the_ratio_of_geometric_means_and_knows_no_unit():
    one, other = made(A, B), made([7 * each for each in A], [7 * each for each in B])
    geometric = math.exp(np.log(A).mean() - np.log(B).mean())
    assert one.estimate.effect == pytest.approx(geometric)
    assert other.estimate.effect == pytest.approx(geometric)
    assert one.estimate.low < geometric < one.estimate.high
    assert made(B, A).estimate.low == pytest.approx(1 / one.estimate.high)


def test_non_inferiority_is_tested_against_its_limit():
    question = Question(ratio=True, against=1.1, equal=None)
    assert found([1.05 * each for each in A], A, question) == Finding.LOWER
    assert found([1.16 * each for each in A], A, question) == Finding.HIGHER
    assert found([1.1 * each for each in A], A, question) == Finding.UNCLEAR


@pytest.mark.parametrize(
    ("ours", "reason"),
    [
        ([20.0], "1 seed cannot tell"),
        (A[:4], "4 seeds cannot tell"),
        ([20.0] * 5, "identical numbers"),
        ([*A[:4], A[0]], "identical numbers"),
        ([*A[:4], None], "no finite number for 1 of 5 seeds"),
        ([*A[:3], math.nan, math.inf], "no finite number for 2 of 5 seeds"),
        ([*A[:4], 0.0], "not positive"),
    ],
)
def test_what_cannot_be_tested_is_refused_with_its_reason(ours, reason):
    for comparison in (made(ours, B), made(B, ours)):
        correct([comparison])
        assert comparison.finding == Finding.REFUSED
        assert reason in comparison.refusal.reason
        assert comparison.refusal.remedy
        assert not comparison.p
        assert comparison.numbers()["estimate"] is None


def test_what_is_refused_does_not_count_in_the_correction():
    one, other = made(A, B), made(A[:2], B)
    assert correct([one, other]) == (2, 1, 1)  # difference and equality of the first
    assert one.corrected["difference"] == one.p["difference"]


def test_more_comparisons_correct_more():
    doubtful = [27.3, 29.9, 28.1, 28.9, 27.5]
    alone, among = made(doubtful, B), made(doubtful, B)
    correct([alone])
    assert alone.finding == Finding.LOWER
    correct([among, *(made(A, [*A[1:], 20.05]) for _ in range(9))])
    assert among.finding == Finding.UNCLEAR
    assert among.corrected["difference"] > among.p["difference"] == alone.p["difference"]


def orders(ours, theirs, covered=(1.0, 100.0)):
    return compare_orders("fvae", "glow", "images", {"fvae": ours, "glow": theirs}, covered)


def test_runs_that_do_not_arrive_are_the_last():
    comparison = orders([10.0, 12, 11, 13, 14], [90.0, math.inf, math.inf, math.inf, math.inf])
    correct([comparison])
    assert comparison.finding == Finding.LOWER
    assert comparison.p["difference"] == pytest.approx(2 / 252)
    assert comparison.estimate.effect == pytest.approx(12 / 100)  # the end of the range bounds it
    assert "later" in comparison.sentence()


def test_runs_outside_of_the_range_tie_and_are_no_copies():
    tie = orders([1.0] * 5, [1.0] * 5)
    never = orders([math.inf] * 5, [math.inf] * 5)
    for comparison in (tie, never):
        assert "All runs tie" in comparison.refusal.reason
    decides = orders([1.0] * 5, [math.inf] * 5)
    correct([decides])
    assert decides.finding == Finding.LOWER
    assert "identical" in orders([10.0] * 5, [math.inf] * 5).refusal.reason


def test_a_rank_test_that_could_not_survive_the_correction_is_refused_whatever_its_order():
    separated, mixed = orders([2.0, 3, 4, 5, 6], [7.0, 8, 9, 10, 11]), orders([2.0, 4, 6, 8, 9], [3.0, 5, 7, 10, 11])
    others = [made(A, B) for _ in range(5)]
    correct([separated, mixed, *others])  # 2 / 252 × 7 > 0.05
    for comparison in (separated, mixed):
        assert "times the number of comparisons" in comparison.refusal.reason
        assert comparison.refusal.remedy == "At least 6 seeds of each model."
    assert others[0].corrected["difference"] == pytest.approx(others[0].p["difference"] * 5)
    again = orders([2.0, 3, 4, 5, 6], [7.0, 8, 9, 10, 11])
    correct([again, *(made(A, B) for _ in range(5))])  # 2 / 252 × 6 < 0.05
    assert again.finding == Finding.LOWER


def rates(ratio, comparisons, repetitions, rng):
    """How often at least one of several comparisons finds a difference, and how often at least one finds equality."""
    different = equal = 0
    for _ in range(repetitions):
        groups = [(rng.normal(math.log(ratio), 0.02, 5), rng.normal(0, 0.06, 7)) for _ in range(comparisons)]
        made_up = [made(list(np.exp(ours)), list(np.exp(theirs))) for ours, theirs in groups]
        correct(made_up)
        findings = {each.finding for each in made_up}
        different += bool(findings & {Finding.LOWER, Finding.HIGHER})
        equal += Finding.SAME in findings
    return different / repetitions, equal / repetitions


def test_without_a_difference_one_is_found_in_at_most_one_of_twenty_experiments():
    """The bound is 5 % and three standard errors of its estimate; without the correction it would be some 18 %."""
    repetitions = 2000
    different, _ = rates(1.0, 4, repetitions, np.random.default_rng(3))
    assert different <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repetitions)


def test_at_the_edge_of_equality_it_is_found_in_at_most_one_of_forty_comparisons():
    repetitions, rng = 2000, np.random.default_rng(4)
    equal = 0
    for _ in range(repetitions):
        ours, theirs = rng.normal(math.log(1.05), 0.005, 5), rng.normal(0, 0.01, 5)
        equal += found(list(np.exp(ours)), list(np.exp(theirs))) == Finding.SAME
    assert 0 < equal / repetitions <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / repetitions)


def test_a_real_difference_is_found():
    different, equal = rates(0.7, 4, 20, np.random.default_rng(5))
    assert different == 1
    assert equal == 0


@pytest.mark.parametrize(
    ("value", "text"), [(28.04, "28.04"), (0.8, "0.8000"), (1234.56, "1,235"), (0.0, "0.0"), (-2.5, "-2.500")]
)
def test_numbers_are_printed_with_four_digits(value, text):
    assert significant(value) == text
