"""A comparison of two models over seeds: why it cannot be made, or its effect, tests and finding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from fvae.paper import style
from fvae.paper.rules.statistics import (
    LEVEL,
    SIGNIFICANT,
    Estimate,
    hodges_lehmann,
    holm,
    p_of_order,
    smallest_p_of_order,
    welch,
)
from fvae.results import Number

LEAST_SEEDS = 5
EQUAL = 1.05  # a ratio that is nearer to 1 than this counts as none


@dataclass(frozen=True)
class Question:
    """What is compared: a ratio or a difference, against which value, and how small an effect counts as none."""

    ratio: bool
    against: float
    equal: float | None  # the largest ratio, or difference, of equal models; None: equality is not tested
    digits: int = 3
    unit: str = ""

    def forward(self, values: Any) -> np.ndarray:
        """From the printed scale to that of the test."""
        numbers = np.asarray(values, float)
        return np.log(numbers) if self.ratio else numbers

    def back(self, estimate: Estimate) -> Estimate:
        """From the scale of the test to the printed one."""
        if not self.ratio:
            return estimate
        return Estimate(math.exp(estimate.effect), math.exp(estimate.low), math.exp(estimate.high))

    def printed(self, estimate: Estimate) -> str:
        """An effect with its interval."""
        sign = "" if self.ratio else "+"
        effect, low, high = (
            f"{value:{sign}.{self.digits}f}" for value in (estimate.effect, estimate.low, estimate.high)
        )
        unit = " times" if self.ratio else self.unit
        return f"{effect}{unit} ({100 * LEVEL:g} % interval {low} to {high})"


RATIO = Question(ratio=True, against=1.0, equal=EQUAL)
ORDER = Question(ratio=True, against=1.0, equal=None)


class Finding(Enum):
    """What the tests of a comparison found after the correction."""

    LOWER = "significantly lower"
    HIGHER = "significantly higher"
    SAME = "equal"
    UNCLEAR = "neither different nor equal"
    REFUSED = "not tested"


@dataclass(frozen=True)
class Refusal:
    """Why there is no test, and what would make one possible."""

    reason: str
    remedy: str


@dataclass
class Comparison:
    """One quantity of two models, a number for each seed; ours is compared with theirs."""

    ours: str
    theirs: str
    measure: str
    question: Question
    values: Mapping[str, Sequence[Number]]  # by model
    refusal: Refusal | None = None
    estimate: Estimate | None = None
    p: dict[str, float] = field(default_factory=dict)  # of "difference" and "equality"
    corrected: dict[str, float] = field(default_factory=dict)
    smallest_p: float = 0.0  # that this kind of test can give with so many seeds

    @property
    def finding(self) -> Finding:
        """Equality first: a difference that is too small to matter is none. `correct` has to be called before."""
        if self.refusal or self.estimate is None:
            return Finding.REFUSED
        if self.corrected.get("equality", 1.0) < SIGNIFICANT:
            return Finding.SAME
        if self.corrected["difference"] < SIGNIFICANT:
            return Finding.LOWER if self.estimate.effect < self.question.against else Finding.HIGHER
        return Finding.UNCLEAR

    @property
    def pair(self) -> str:
        """What is divided by what, or what is subtracted from what."""
        return f"{style.label(self.ours)} {'/' if self.question.ratio else 'minus'} {style.label(self.theirs)}"

    def found(self) -> str:
        """The finding, or why there is none, as a sentence."""
        if self.refusal:
            return self.refusal.reason
        against = f"{self.question.against:g}"
        words = {
            Finding.LOWER: f"is significantly below {against}",
            Finding.HIGHER: f"is significantly above {against}",
            Finding.SAME: f"is so near to {against} that it counts as equal",
            Finding.UNCLEAR: f"is neither significantly below nor above {against}"
            + ", nor equal to it" * (self.question.equal is not None),
        }
        return f"{capital(self.measure)}: {self.pair} {words[self.finding]}."

    def sentence(self) -> str:
        """The numbers of all seeds, the effect, and p."""
        each = "; ".join(f"{style.label(model)} {listed(values)}" for model, values in self.values.items())
        if self.refusal or self.estimate is None:
            return f"{capital(self.measure)}: {each}."
        p = "; ".join(f"p of {test} {small(self.p[test])}, corrected {small(self.corrected[test])}" for test in self.p)
        return f"{capital(self.measure)}: {each}. {self.pair}: {self.question.printed(self.estimate)}; {p}."

    def numbers(self) -> dict[str, Any]:
        """All of it, for claims.json."""
        estimate = self.estimate if not self.refusal else None
        return {
            "models": [self.ours, self.theirs],
            "measure": self.measure,
            "values": {model: list(values) for model, values in self.values.items()},
            "effect": "ratio" if self.question.ratio else "difference",
            "against": self.question.against,
            "estimate": estimate and estimate.effect,
            "interval": estimate and [estimate.low, estimate.high],
            "p": self.p,
            "corrected p": self.corrected,
            "finding": self.finding.value,
            "refused": self.refusal and self.refusal.reason,
        }


def compare(
    ours: str,
    theirs: str,
    measure: str,
    values: Mapping[str, Sequence[Number]],
    question: Question = RATIO,
    refusal: Refusal | None = None,
) -> Comparison:
    """Welch's tests of a number of each seed, or the reason that there is none; `refusal` is one that is known."""
    comparison = Comparison(ours, theirs, measure, question, values, refusal or refuse(values, question))
    if not comparison.refusal:
        a, b = (question.forward(values[model]) for model in (ours, theirs))
        found = welch(a, b)
        comparison.estimate = question.back(found.estimate())
        comparison.p["difference"] = found.p_of_difference(float(question.forward(question.against)))
        if question.equal is not None:
            comparison.p["equality"] = found.p_of_equality(float(question.forward(question.equal)))
    return comparison


def compare_orders(
    ours: str,
    theirs: str,
    measure: str,
    values: Mapping[str, Sequence[Number]],
    covered: tuple[float, float],
    refusal: Refusal | None = None,
) -> Comparison:
    """The exact rank test of positive numbers, one of each seed, in the range from a start to an end that is covered.

    The start itself means that or earlier, and infinity means later than the end.
    """
    start, end = covered
    comparison = Comparison(ours, theirs, measure, ORDER, values, refusal or refuse_orders(values, start))
    if not comparison.refusal:
        a, b = (np.array(values[model], float) for model in (ours, theirs))
        bounded = [ORDER.forward(np.minimum(times, end)) for times in (a, b)]
        comparison.estimate = ORDER.back(hodges_lehmann(bounded[0], bounded[1]))
        comparison.p["difference"] = p_of_order(a, b)
        comparison.smallest_p = smallest_p_of_order(len(a), len(b))
    return comparison


class Counts(NamedTuple):
    """How many tests were corrected together, of how many comparisons, and how many comparisons were refused."""

    tests: int
    tested: int
    refused: int


def correct(comparisons: Sequence[Comparison]) -> Counts:
    """Correct the tests of all comparisons together, and count them.

    A comparison by order is refused beforehand where the smallest p that its test can have, times the number of all
    comparisons, is not significant. Of the two hypotheses of a comparison, no difference and no equality, at most one
    is true.
    """
    for each in comparisons:
        if not each.refusal and each.smallest_p * len(comparisons) > SIGNIFICANT:
            each.refusal = too_few_for_orders(each, len(comparisons))
    tested = [each for each in comparisons if not each.refusal]
    tests = [(each, test) for each in tested for test in each.p]
    corrected = holm([each.p[test] for each, test in tests], most_true=len(tested))
    for (each, test), p in zip(tests, corrected, strict=True):
        each.corrected[test] = p
    return Counts(len(tests), len(tested), len(comparisons) - len(tested))


def refuse(values: Mapping[str, Sequence[Number]], question: Question) -> Refusal | None:
    """Why numbers cannot be tested."""
    if refusal := refuse_missing(values):
        return refusal
    for model, found in values.items():
        if question.ratio and min(map(float, found)) <= 0:  # type: ignore[arg-type]
            return Refusal(f"A number of {style.label(model)} is not positive: no logarithm.", "Another measure.")
    return refuse_few(values) or refuse_copies(values)


def refuse_orders(values: Mapping[str, Sequence[Number]], start: float) -> Refusal | None:
    """Why times cannot be ordered. Those outside of the range that is covered are ties, and no copies of each other."""
    known = {model: [value for value in found if value != math.inf] for model, found in values.items()}
    if refusal := refuse_missing(known) or refuse_few(values):
        return refusal
    if refusal := refuse_copies(
        {model: [value for value in found if value != start] for model, found in known.items()}
    ):
        return refusal
    if len({value for found in values.values() for value in found}) == 1:
        return Refusal(
            "All runs tie: each is there before the range that all cover begins, or none is there before it ends.",
            "Another `claims.threshold`, fixed before new trainings.",
        )
    return None


def refuse_missing(values: Mapping[str, Sequence[Number]]) -> Refusal | None:
    """A number that is missing or not finite."""
    for model, found in values.items():
        lost = sum(value is None or not math.isfinite(value) for value in found)
        if lost:
            return Refusal(
                f"{style.label(model)} has no finite number for {lost} of {len(found)} seeds.",
                "A number of every seed.",
            )
    return None


def refuse_few(values: Mapping[str, Sequence[Number]]) -> Refusal | None:
    """Fewer seeds than a test needs."""
    fewest = min(map(len, values.values()))
    if fewest < LEAST_SEEDS:
        few = f"{fewest} seed{'s' * (fewest != 1)} cannot tell a difference from chance."
        return Refusal(few, f"At least {LEAST_SEEDS} seeds of each model.")
    return None


def refuse_copies(values: Mapping[str, Sequence[Number]]) -> Refusal | None:
    """Two seeds of a model with the same number to its last digit."""
    for model, found in values.items():
        if len(set(found)) < len(found):
            return Refusal(
                f"Two seeds of {style.label(model)} have identical numbers: copies, or a seed that was not used.",
                "A training of its own for every seed.",
            )
    return None


def too_few_for_orders(comparison: Comparison, comparisons: int) -> Refusal:
    """The refusal of a rank test whose smallest p is too large for so many comparisons."""
    seeds = next(n for n in range(2, 1000) if smallest_p_of_order(n, n) * comparisons <= SIGNIFICANT)
    return Refusal(
        f"The smallest p of a rank test of so many seeds, {small(comparison.smallest_p)}, times the number of "
        f"comparisons, {comparisons}, is above {SIGNIFICANT:g}.",
        f"At least {seeds} seeds of each model.",
    )


def listed(values: Sequence[Number]) -> str:
    """The numbers of all seeds, with four significant digits."""
    return ", ".join(
        "n/a" if value is None else "later" if value == math.inf else significant(value) for value in values
    )


def significant(value: float) -> str:
    """Four significant digits, and no exponent."""
    if not math.isfinite(value) or value == 0:
        return str(value)
    return f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return text[0].upper() + text[1:]


def small(p: float) -> str:
    """A p, with two significant digits."""
    return f"{p:.2g}"
