"""The mean of a number over draws of samples, or over subsets of real images, and how much it varies among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

Key = TypeVar("Key")
Value = TypeVar("Value")


def mean(values: Sequence[float | None]) -> float | None:
    """The mean; None where one of the values is missing."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def deviation(values: Sequence[float | None]) -> float | None:
    """The sample standard deviation; None where a value is missing, or where there is only one."""
    known = [value for value in values if value is not None]
    return float(np.std(known, ddof=1)) if len(known) == len(values) > 1 else None


def by_key(found: Sequence[Mapping[Key, Value]]) -> dict[Key, list[Value]]:
    """The values of each key in all of several mappings with the same keys."""
    return {key: [each[key] for each in found] for key in found[0]}


def with_deviations(found: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """The mean of each number over draws or subsets; NAME_standard_deviation and NAME_draws are beside it."""
    numbers: dict[str, Any] = {}
    for name, values in by_key(found).items():
        numbers |= {name: mean(values), f"{name}_standard_deviation": deviation(values), f"{name}_draws": values}
    return numbers
