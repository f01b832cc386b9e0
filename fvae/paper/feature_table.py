"""Tables of numbers that are computed from features, of models and of real images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fvae.paper import style
from fvae.paper.table import mean_and_spread
from fvae.params import Experiment

Columns = Mapping[str, tuple[str, float, int]]  # heading, factor and digits of each number, by its name in files
Found = Mapping[str, Any]  # the numbers of one run, or of real images, each with NAME_standard_deviation beside it


def rows(
    experiment: Experiment, found: Mapping[str, Sequence[Found]], real: Found, columns: Columns
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers, one row per model and seed, and the same as printed, one row per model; then a row of real images.

    `found` has the numbers of each seed by model.
    """
    numbers = [
        {"model": name, "seed": seed, **numbers_row(run, columns)}
        for name, runs in found.items()
        for seed, run in zip(experiment.seeds, runs, strict=True)
    ]
    printed = [{"model": style.label(name), **printed_row(runs, columns)} for name, runs in found.items()]
    numbers.append({"model": "real images", **numbers_row(real, columns)})
    printed.append({"model": "real images", **printed_row([real], columns)})
    frame = pd.DataFrame(numbers).astype({"seed": "Int64"})  # the row of real images has no seed
    return frame, pd.DataFrame(printed)


def numbers_row(found: Found, columns: Columns) -> dict[str, Any]:
    """The numbers of one run, or of real images, each with its standard deviation."""
    return {key: found[key] for metric in columns for key in (metric, f"{metric}_standard_deviation")}


def printed_row(found: Sequence[Found], columns: Columns) -> dict[str, str]:
    """The numbers over seeds, as printed; n/a where a seed has no number."""
    return {
        heading: mean_and_spread(
            [each[metric] for each in found], digits, factor, of_one=found[0][f"{metric}_standard_deviation"]
        )
        for metric, (heading, factor, digits) in columns.items()
    }
