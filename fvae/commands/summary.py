"""The `summary` command: the main numbers of all runs of an experiment, in a form that DVC compares and prints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fvae import layout
from fvae.files import write_json, write_text
from fvae.params import Experiment, load
from fvae.results import read_cost, read_history, read_matched, read_metric

DIGITS = 6  # significant ones


def run(experiment_name: str) -> None:
    """Write results/EXPERIMENT/metrics.json and history.csv.

    Raises UserError where a run is not trained or not measured.
    """
    experiment = load().experiment(experiment_name)
    write_json(
        layout.metrics(experiment_name),
        {model: numbers(experiment_name, experiment, model) for model in experiment.models},
    )
    write_text(layout.history(experiment_name), history(experiment_name, experiment).to_csv(index=False))


def numbers(experiment_name: str, experiment: Experiment, model: str) -> dict[str, float]:
    """The mean of each number over a model's seeds, and its standard deviation, NAME_std, where there are several.

    A number that one of the seeds does not have, such as FID without its weights, is left out.
    """
    runs = [layout.Run(experiment_name, model, seed) for seed in experiment.seeds]
    of_seeds = [of_run(each) for each in runs]
    means: dict[str, float] = {}
    for name in of_seeds[0]:
        values = [found[name] for found in of_seeds]
        if any(value is None for value in values):
            continue
        means[name] = rounded(float(np.mean(values)))
        if len(values) > 1:
            means[f"{name}_std"] = rounded(float(np.std(values, ddof=1)))
    _, size = read_matched(experiment_name, model)
    return means | {"parameters": size["parameters"]}


def of_run(run: layout.Run) -> dict[str, Any]:
    """The main numbers of one run: SWD is × 10³ and the mean over levels; the PSNR is that of reconstructions."""
    sharpness = read_metric(run, "sharpness")
    return {
        "bits_per_dim": read_metric(run, "bpd")["bpd"],
        "swd": read_metric(run, "swd")["mean"],
        "fid": read_metric(run, "fid")["fid"],
        "high_frequency_db": sharpness["high_frequency_db"],
        "psnr": sharpness["reconstructions"]["psnr"],
        "train_seconds": read_cost(run)["seconds"],
    }


def rounded(value: float) -> float:
    """A number to DIGITS significant digits."""
    return float(f"{value:.{DIGITS}g}")


def history(experiment_name: str, experiment: Experiment) -> pd.DataFrame:
    """The validations of all runs, one row each; numbers are copied as they were written."""
    tables = []
    for model in experiment.models:
        for seed in experiment.seeds:
            run = layout.Run(experiment_name, model, seed)
            read_history(run)  # raises where the file is damaged
            table = pd.read_csv(run.history, dtype=str)
            table.insert(0, "model", model)
            table.insert(1, "seed", seed)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)
