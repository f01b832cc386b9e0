"""The `summary` command: the main numbers of all runs of an experiment, in a form that DVC compares and prints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fvae import layout
from fvae.files import write_json, write_text
from fvae.params import Experiment, load
from fvae.results import read_cost, read_floor, read_history, read_matched, read_metric

ERRORS = ("_standard_error", "_std_over_draws")  # ends of the names of errors
DIGITS = 6  # significant ones


def run(experiment_name: str) -> None:
    """Write results/EXPERIMENT/metrics.json and history.csv.

    Raises UserError where a run is not trained or not measured.
    """
    experiment = load().experiment(experiment_name)
    write_json(
        layout.metrics(experiment_name),
        {model: numbers(experiment_name, experiment, model) for model in experiment.models}
        | {"real images": floor(experiment_name)},
    )
    write_text(layout.history(experiment_name), history(experiment_name, experiment).to_csv(index=False))


def numbers(experiment_name: str, experiment: Experiment, model: str) -> dict[str, float]:
    """The mean of each number over a model's seeds, and its standard deviation, NAME_std, where there are several.

    The errors in `of_run` are means over seeds and have no deviation of their own. A number that one of the seeds does
    not have, such as FID without its weights, is left out.
    """
    runs = [layout.Run(experiment_name, model, seed) for seed in experiment.seeds]
    of_seeds = [of_run(each) for each in runs]
    means: dict[str, float] = {}
    for name in of_seeds[0]:
        values = [found[name] for found in of_seeds]
        if any(value is None for value in values):
            continue
        means[name] = rounded(float(np.mean(values)))
        if len(values) > 1 and not name.endswith(ERRORS):
            means[f"{name}_std"] = rounded(float(np.std(values, ddof=1)))
    _, size = read_matched(experiment_name, model)
    return means | {"parameters": size["parameters"]}


def of_run(run: layout.Run) -> dict[str, Any]:
    """The main numbers of one run: SWD is × 10³ and the mean over levels; the PSNR is that of reconstructions.

    With them are the errors that one run has: the standard error of bits/dim over images, and the standard deviations
    over draws of samples.
    """
    bpd, swd, fid, sharpness = (read_metric(run, name) for name in ("bpd", "swd", "fid", "sharpness"))
    portraits, random = read_metric(run, "portrait_distance"), read_metric(run, "random_features")
    return {
        "bits_per_dim": bpd["bpd"],
        "bits_per_dim_standard_error": bpd["standard_error"],
        "swd": swd["mean"],
        "swd_std_over_draws": swd["standard_deviation"],
        "portrait_distance": portraits["portrait_distance"],
        "portrait_distance_std_over_draws": portraits["standard_deviation"],
        "random_features_frechet": random["frechet"],
        "random_features_frechet_std_over_draws": random["frechet_standard_deviation"],
        "fid": fid["fid"],
        "fid_std_over_draws": fid["fid_standard_deviation"],
        "high_frequency_db": sharpness["high_frequency_db"],
        "high_frequency_db_std_over_draws": sharpness["high_frequency_db_standard_deviation"],
        "psnr": sharpness["reconstructions"]["psnr"],
        "train_seconds": read_cost(run)["seconds"],
    }


def floor(experiment_name: str) -> dict[str, float]:
    """What perfect samples would reach, with the standard deviation over subsets of real images."""
    found = read_floor(experiment_name)
    numbers = {
        name: value
        for metric in ("swd", "portrait_distance", "fid")
        if found[metric] is not None
        for name, value in (
            (metric, found[metric]["mean"]),
            (f"{metric}_std_over_subsets", found[metric]["standard_deviation"]),
        )
    }
    random = found["random_features"]
    numbers |= {
        "random_features_frechet": random["frechet"],
        "random_features_frechet_std_over_subsets": random["frechet_standard_deviation"],
    }
    return {name: rounded(value) for name, value in numbers.items() if value is not None}


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
