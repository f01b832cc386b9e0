"""The table of sizes and costs: parameters, multiply-accumulates, seconds, peak memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fvae import layout
from fvae.paper import style
from fvae.paper.table import Table, mean_and_spread, over_seeds
from fvae.params import Experiment, ModelSpec, free_sizes
from fvae.results import read_cost, read_matched


def solved(spec: ModelSpec, resolved: ModelSpec) -> str:
    """The size that was found for a model, such as 'width 64'; empty where params.yaml gives all its sizes."""
    return ", ".join(f"{size} {getattr(getattr(resolved, section), size):g}" for section, size in free_sizes(spec))


def also_in_parameters(experiment: Experiment) -> str:
    """What else than `match.quantity` some models are matched in."""
    others = {spec.match for spec in experiment.models.values() if spec.match} - {experiment.match.quantity}
    return "".join(f"; in {style.QUANTITIES[other]} where the name says so" for other in sorted(others))


def table(experiment_name: str, experiment: Experiment) -> Table:
    """One row per model; seconds: mean and standard deviation over seeds; memory: the largest of any seed."""
    rows, seconds, trainings = [], [], []
    for name, given in experiment.models.items():
        spec, size = read_matched(experiment_name, name)
        costs = [read_cost(layout.Run(experiment_name, name, seed)) for seed in experiment.seeds]
        trainings += costs
        spent = [cost["seconds"] for cost in costs]
        seconds.append(mean_and_spread(spent, 0))
        rows.append(
            {
                "model": name,
                "solved_for": solved(given, spec),
                "parameters": size["parameters"],
                "effective_parameters": size["effective_parameters"],
                "macs": size["macs"],
                "seconds": np.mean(spent),
                "seconds_deviation": np.std(spent, ddof=1) if len(spent) > 1 else None,
                "seeds": len(spent),
                "peak_memory": max(cost["peak_memory"] for cost in costs),
            }
        )
    numbers = pd.DataFrame(rows)
    printed = pd.DataFrame(
        {
            "model": numbers["model"].map(style.label),
            "solved for": numbers["solved_for"],
            "parameters (effective)": [
                f"{nominal:,}" + (f" ({effective:,})" if effective < nominal else "")
                for nominal, effective in zip(numbers["parameters"], numbers["effective_parameters"], strict=True)
            ],
            "multiply-accumulates per image": (numbers["macs"] / 1e6).map("{:,.1f} M".format),
            "seconds of training": seconds,
            "peak memory": (numbers["peak_memory"] / 2**30).map("{:.2f} GiB".format),
        }
    )
    match = experiment.match
    notes = [
        f"Matched in {style.QUANTITIES[match.quantity]} to {style.label(match.model)} "
        f"within {100 * match.tolerance:g} %{also_in_parameters(experiment)}. "
        f"{experiment.training.images:,} images, batches of {experiment.training.batch_size} "
        f"on {', '.join(style.devices(trainings))}.",
        over_seeds(len(experiment.seeds)),
    ]
    return Table(numbers, printed, notes)
