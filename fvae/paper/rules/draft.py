"""A claim before the correction of all tests, and after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fvae.paper.claim import FAILS, HOLDS, Claim
from fvae.paper.rules.comparison import Comparison, Finding

MORE_SEEDS = "More seeds, which narrow the interval, where the models differ or are equal at all."
AGAIN = "New trainings with other seeds in which the same test decides otherwise or no longer decides."


@dataclass
class Draft:
    """A claim, the comparisons that decide it, and the rule that does so once `correct` was called."""

    claim: Claim
    comparisons: list[Comparison] = field(default_factory=list)
    decide: Callable[[Claim, list[Comparison]], None] | None = None
    remarks: str = ""  # sentences after the numbers

    def decided(self) -> Claim:
        """The claim with its verdict and all numbers."""
        if self.decide:
            self.decide(self.claim, self.comparisons)
        parts = [self.claim.reason, *(each.sentence() for each in self.comparisons), self.remarks]
        self.claim.reason = " ".join(part for part in parts if part)
        if self.comparisons:
            self.claim.numbers["comparisons"] = [each.numbers() for each in self.comparisons]
        return self.claim


def decide_lower(claim: Claim, comparisons: list[Comparison]) -> None:
    """The rule of a claim that the only comparison's number is lower."""
    (comparison,) = comparisons
    finding = comparison.finding
    if comparison.refusal:
        claim.reason, claim.change = comparison.refusal.reason, comparison.refusal.remedy
    elif finding == Finding.UNCLEAR:
        equality = " or equal within 5 %" * (comparison.question.equal is not None)
        claim.reason, claim.change = (
            f"After the correction it is not significantly lower, higher{equality}.",
            MORE_SEEDS,
        )
    else:
        claim.verdict = HOLDS if finding == Finding.LOWER else FAILS
        claim.reason, claim.change = f"It is {finding.value}{' within 5 %' * (finding == Finding.SAME)}.", AGAIN
