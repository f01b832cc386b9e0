"""The table of random features: a Fréchet distance, precision and others of a randomly initialised network, not FID."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.paper.feature_table import Columns, printed_row, rows
from fvae.paper.table import Table, held_out, over_draws, over_subsets
from fvae.params import Experiment
from fvae.results import read_floor, read_metric

FRECHET = "Fréchet distance, random features"
COLUMNS: Columns = {  # heading, factor and digits of each number
    "frechet": (f"{FRECHET} ↓", 1, 2),
    "precision": ("precision ↑", 1, 3),
    "recall": ("recall ↑", 1, 3),
    "density": ("density ↑", 1, 3),
    "coverage": ("coverage ↑", 1, 3),
}


def table(experiment_name: str, experiment: Experiment) -> Table:
    """One row per model and seed in numbers, one row per model as printed; then a row of real images."""
    found = {
        name: [read_metric(layout.Run(experiment_name, name, seed), "random_features") for seed in experiment.seeds]
        for name in experiment.models
    }
    floor = read_floor(experiment_name)["random_features"]
    numbers, printed = rows(experiment, found, floor, COLUMNS)
    first = next(iter(found.values()))[0]
    return Table(numbers, printed, notes(experiment, first, floor))


def frechet_cell(found: list[dict[str, Any]]) -> dict[str, str]:
    """Only the column of the Fréchet distance, for the table of metrics."""
    return printed_row(found, {"frechet": COLUMNS["frechet"]})


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
