"""What a claim of the paper is, and the statistics that decide one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import ttest_ind_from_stats

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decided here"
SIGNIFICANT = 0.05
WELCH = f"by Welch's t-test over seeds, p < {SIGNIFICANT:g}"


@dataclass
class Claim:
    """What the paper says, how it is tested, the numbers, the verdict and its reason."""

    name: str
    claim: str
    test: str
    numbers: dict[str, Any] = field(default_factory=dict)
    verdict: str = OPEN
    reason: str = ""


def decide_lower(claim: Claim, ours: Sequence[float], theirs: Sequence[float], observed: str) -> None:
    """Decide a claim that our numbers are lower than theirs, one of each per seed, by Welch's t-test."""
    if len(ours) < 2:
        claim.reason = f"One seed cannot tell a difference from chance. {observed}"
        return
    claim.numbers["p"] = p = welch(np.array(ours, float), np.array(theirs, float))
    if p < SIGNIFICANT:
        claim.verdict = HOLDS if np.mean(ours) < np.mean(theirs) else FAILS
        claim.reason = f"p = {p:.2g}. {observed}"
    else:
        claim.reason = f"No significant difference over {len(ours)} seeds, p = {p:.2g}. {observed}"


def welch(a: np.ndarray, b: np.ndarray) -> float:
    """p of Welch's t-test; 0 or 1 where neither's seeds differ among themselves."""
    if a.std() == b.std() == 0:
        return float(a[0] == b[0])
    moments = [moment for x in (a, b) for moment in (x.mean(), x.std(ddof=1), len(x))]
    return float(ttest_ind_from_stats(*moments, equal_var=False).pvalue)


def listed(values: Any, form: str) -> str:
    """The numbers of all seeds, as text."""
    return ", ".join("n/a" if value is None else f"{value:{form}}" for value in values)
