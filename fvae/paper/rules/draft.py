"""A claim before the correction of all tests, and after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fvae.paper.claim import FAILS, HOLDS, Claim
from fvae.paper.rules.comparison import Comparison, Finding

MORE_SEEDS = "More seeds: they narrow the interval."
CHANGES = {
    Finding.LOWER: "Other seeds with which it is not significantly below {against}{or_equal}.",
    Finding.HIGHER: "Other seeds with which it is not significantly above {against}.",
    Finding.SAME: "Other seeds with which it does not count as equal.",
}


@dataclass
class Draft:
    """A claim, the comparisons that decide it, and the rule that does so once `correct` was called."""

    claim: Claim
    comparisons: list[Comparison] = field(default_factory=list)
    decide: Callable[[Claim, list[Comparison]], None] | None = None
    remarks: list[str] = field(default_factory=list)  # sentences after those of the comparisons

    def decided(self) -> Claim:
        """The claim with its verdict and all numbers."""
        if self.decide:
            self.decide(self.claim, self.comparisons)
        self.claim.evidence += [*(each.sentence() for each in self.comparisons), *self.remarks]
        if self.comparisons:
            self.claim.numbers["comparisons"] = [each.numbers() for each in self.comparisons]
        return self.claim


def decide_lower(claim: Claim, comparisons: list[Comparison]) -> None:
    """The rule of a claim that the only comparison's number is lower."""
    (comparison,) = comparisons
    finding = comparison.finding
    claim.reason = comparison.found()
    if comparison.refusal:
        claim.change = comparison.refusal.remedy
    elif finding == Finding.UNCLEAR:
        claim.change = MORE_SEEDS
    else:
        claim.verdict = HOLDS if finding == Finding.LOWER else FAILS
        or_equal = "" if comparison.question.equal is None else ", or counts as equal"
        claim.change = CHANGES[finding].format(against=f"{comparison.question.against:g}", or_equal=or_equal)
