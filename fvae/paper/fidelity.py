"""The table of fidelity: FID, FID∞, KID, precision, recall, density, coverage, all of Inception features."""

from __future__ import annotations

from typing import Any

from fvae import layout
from fvae.paper.feature_table import Columns, rows
from fvae.paper.table import Table, held_out, over_draws, over_subsets
from fvae.params import Experiment
from fvae.results import read_floor, read_metric

COLUMNS: Columns = {  # heading, factor and digits of each number
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
    """One row per model and seed in numbers, one row per model as printed; then a row of real images.

    n/a where a seed has no number.
    """
    found = {
        name: [read_metric(layout.Run(experiment_name, name, seed), "fid") for seed in experiment.seeds]
        for name in experiment.models
    }
    floor = read_floor(experiment_name)
    numbers, printed = rows(experiment, found, floor["fidelity"], COLUMNS)
    return Table(numbers, printed, notes(experiment, [run for runs in found.values() for run in runs], floor))


def fid_floor(fid: dict[str, Any]) -> str:
    """The note that says what FID of real images is."""
    return (
        f"FID of real images: {fid['images']:,} test images in place of samples, {over_subsets(len(fid['subsets']))}. "
        "FID of fewer images is higher."
    )


def notes(experiment: Experiment, runs: list[dict[str, Any]], floor: dict[str, Any]) -> list[str]:
    """What the numbers are, of how many images, and, once each, the reasons why some are missing."""
    measured = [run for run in runs if run["fid"] is not None]
    lines = []
    if measured:
        run = measured[0]
        kid, kept, neighbours = run["kid_images"], run["manifold_images"], run["manifold_neighbours"]
        lines = [
            f"FID: {run['images']:,} samples at T = {experiment.sampling.random.temperature:g} against all "
            f"{run['reference_images']:,} training images. FID∞: FID extrapolated to infinitely many samples.",
            f"KID: the mean, and σ the standard deviation, over {run['kid_subsets']} pairs of random subsets of "
            f"{kid['subset']:,}, from {kid['samples']:,} samples and {kid['reference']:,} random training images.",
            f"Precision and recall (k = {neighbours['precision_recall']}), density and coverage "
            f"(k = {neighbours['density_coverage']}): "
            f"{kept:,} samples and {kept:,} random training images. Here all are of Inception features; precision and "
            "recall are of VGG-16's in their paper, so that its numbers cannot be compared with these.",
        ]
    all_of_it = {run["reason"] for run in runs if run["fid"] is None}
    with_real = [*measured, *([floor["fidelity"]] if floor["fid"]["mean"] is not None else [])]
    infinity = {run["fid_infinity_reason"] for run in with_real if run["fid_infinity"] is None}
    return [
        *held_out(experiment),
        *lines,
        *([fid_floor(floor["fid"])] if floor["fid"]["mean"] is not None else []),
        over_draws(len(experiment.seeds), experiment.sampling.random.draws),
        *(f"All is n/a: {reason}" for reason in sorted(all_of_it)),
        *(f"FID∞ is n/a: {reason}" for reason in sorted(infinity)),
    ]
