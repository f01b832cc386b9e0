"""What a claim of the paper is, and the three verdicts on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decided here"


@dataclass
class Claim:
    """What the paper says, how it is tested, and the verdict with its reason, its numbers and what would change it."""

    name: str
    claim: str
    test: str
    numbers: dict[str, Any] = field(default_factory=dict)
    verdict: str = OPEN
    reason: str = ""
    evidence: list[str] = field(default_factory=list)  # sentences with the numbers
    change: str = ""
