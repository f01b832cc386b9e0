"""The table of random features: a Fréchet distance, precision and others of a randomly initialised network, not FID."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fvae import layout
from fvae.paper import style
from fvae.paper.table import Table, held_out, mean_and_spread, over_draws, over_subsets
from fvae.params import Experiment
from fvae.results import read_floor, read_metric

FRECHET = "Fréchet distance, random features"
COLUMNS: dict[str, tuple[str, int]] = {  # heading and digits of each number
    "frechet": (f"{FRECHET} ↓", 2),
    "precision": ("precision ↑", 3),
    "recall": ("recall ↑", 3),
    "density": ("density ↑", 3),
    "coverage": ("coverage ↑", 3),
}


def table(experiment_name: str, experiment: Experiment) -> Table:
    """One row per model and seed in numbers, one row per model as printed; then a row of real images."""
    numbers, printed = [], []
    for name in experiment.models:
        runs = [read_metric(layout.Run(experiment_name, name, seed), "random_features") for seed in experiment.seeds]
        numbers += [
            {"model": name, "seed": seed, **numbers_row(run)} for seed, run in zip(experiment.seeds, runs, strict=True)
        ]
        printed.append({"model": style.label(name), **printed_row(runs)})
    floor = read_floor(experiment_name)["random_features"]
    numbers.append({"model": "real images", **numbers_row(floor)})
    printed.append({"model": "real images", **printed_row([floor])})
    frame = pd.DataFrame(numbers).astype({"seed": "Int64"})  # the row of real images has no seed
    return Table(frame, pd.DataFrame(printed), notes(experiment, runs[0], floor))


def numbers_row(found: dict[str, Any]) -> dict[str, Any]:
    """The numbers of one run, or of real images, each with its standard deviation."""
    return {key: found[key] for metric in COLUMNS for key in (metric, f"{metric}_standard_deviation")}


def printed_row(found: list[dict[str, Any]]) -> dict[str, str]:
    """The numbers over seeds, as printed."""
    return {
        heading: mean_and_spread(
            [each[metric] for each in found], digits, of_one=found[0][f"{metric}_standard_deviation"]
        )
        for metric, (heading, digits) in COLUMNS.items()
    }


def frechet_cell(found: list[dict[str, Any]]) -> dict[str, str]:
    """The column of the Fréchet distance alone, for the table of metrics."""
    heading, _ = COLUMNS["frechet"]
    return {heading: printed_row(found)[heading]}


def notes(experiment: Experiment, run: dict[str, Any], floor: dict[str, Any]) -> list[str]:
    """What the numbers are, and of how many images."""
    return [
        *held_out(experiment),
        f"All are of the features of a randomly initialised network, seed {run['network_seed']} (after Naeem et al. "
        "2020). None is FID, and none can be compared with numbers of another network.",
        f"{run['images']:,} samples at T = {experiment.sampling.random.temperature:g} against as many random test "
        f"images. Real images: {floor['images']:,} random training images against as many random test images, "
        f"{over_subsets(len(floor['frechet_draws']))}.",
        over_draws(len(experiment.seeds), experiment.sampling.random.draws),
    ]
