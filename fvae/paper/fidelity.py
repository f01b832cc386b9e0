"""The table of fidelity: FID, FID∞, KID, precision, recall, density, coverage, all of Inception features."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fvae import layout
from fvae.evaluation.fidelity import DENSITY_NEIGHBOURS, MANIFOLD_NEIGHBOURS
from fvae.evaluation.metrics import FROM_FEATURES
from fvae.files import read_json
from fvae.paper import style
from fvae.paper.table import Table, mean_and_spread, over_seeds
from fvae.params import Experiment

COLUMNS = {  # heading, factor and digits of each number
    "fid": ("FID ↓", 1, 1),
    "fid_infinity": ("FID∞ ↓", 1, 1),
    "kid": ("KID × 10³ ↓", 1e3, 2),
    "kid_deviation": ("KID's σ × 10³", 1e3, 2),
    "precision": ("precision ↑", 1, 3),
    "recall": ("recall ↑", 1, 3),
    "density": ("density ↑", 1, 3),
    "coverage": ("coverage ↑", 1, 3),
}


def table(experiment_name: str, experiment: Experiment) -> Table:
    """A row a model and seed in numbers, a row a model as printed; n/a where one of the seeds has no number."""
    numbers, printed, runs = [], [], []
    for name in experiment.models:
        of_model = [
            read_json(layout.Run(experiment_name, name, seed).metric("fid"), "evaluate fid")
            for seed in experiment.seeds
        ]
        runs += of_model
        numbers += [
            {"model": name, "seed": seed, **{metric: run[metric] for metric in FROM_FEATURES}}
            for seed, run in zip(experiment.seeds, of_model, strict=True)
        ]
        cells = {
            heading: cell([run[metric] for run in of_model], factor, digits)
            for metric, (heading, factor, digits) in COLUMNS.items()
        }
        printed.append({"model": style.label(name), **cells})
    return Table(pd.DataFrame(numbers), pd.DataFrame(printed), notes(experiment, runs))


def cell(values: list[float | None], factor: float, digits: int) -> str:
    """A number over seeds as printed."""
    known = [factor * value for value in values if value is not None]
    return mean_and_spread(known, digits) if len(known) == len(values) else "n/a"


def notes(experiment: Experiment, runs: list[dict[str, Any]]) -> list[str]:
    """What the numbers are, of how many images, and once why one is not there."""
    measured = [run for run in runs if run["fid"] is not None]
    lines = []
    if measured:
        run = measured[0]
        kid, kept = run["kid_images"], run["manifold_images"]
        lines = [
            f"FID: {run['images']:,} samples at T = {experiment.sampling.random.temperature:g} against all "
            f"{run['reference_images']:,} training images. FID∞: FID extrapolated to infinitely many samples.",
            f"KID: the mean, and σ the standard deviation, over {run['kid_subsets']} pairs of random subsets of "
            f"{kid['subset']:,}, from {kid['samples']:,} samples and {kid['reference']:,} random training images.",
            f"Precision and recall (k = {MANIFOLD_NEIGHBOURS}), density and coverage (k = {DENSITY_NEIGHBOURS}): "
            f"{kept:,} samples and {kept:,} random training images. Here all are of Inception features; precision and "
            "recall are of VGG-16's in their paper, so that its numbers do not compare with these.",
        ]
    all_of_it = {run["reason"] for run in runs if run["fid"] is None}
    infinity = {run["fid_infinity_reason"] for run in measured if run["fid_infinity"] is None}
    return [
        *lines,
        over_seeds(len(experiment.seeds)),
        *(f"All is n/a: {reason}" for reason in sorted(all_of_it)),
        *(f"FID∞ is n/a: {reason}" for reason in sorted(infinity)),
    ]
