"""The table of sizes and costs: parameters, multiply-accumulates, seconds, peak memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fvae import layout
from fvae.files import read_json
from fvae.models.build import describe
from fvae.models.match import resolve
from fvae.paper import style
from fvae.paper.table import Table, mean_and_spread, over_seeds
from fvae.params import Experiment, ModelSpec, free_sizes


def solved(spec: ModelSpec, resolved: ModelSpec) -> str:
    """The size that was found for a model, such as 'width 64'; empty where none was left free."""
    return ", ".join(f"{size} {getattr(getattr(resolved, section), size):g}" for section, size in free_sizes(spec))


def table(experiment_name: str, experiment: Experiment) -> Table:
    """A row a model; seconds are the mean and the standard deviation over seeds, memory the most of any."""
    rows, seconds, devices = [], [], set()
    for name, spec in resolve(experiment).items():
        size = describe(spec, experiment.data.size)
        costs = [read_json(layout.Run(experiment_name, name, seed).training, "train") for seed in experiment.seeds]
        devices |= {cost["device"] for cost in costs}
        spent = [cost["seconds"] for cost in costs]
        seconds.append(mean_and_spread(spent, 0))
        rows.append(
            {
                "model": name,
                "solved_for": solved(experiment.models[name], spec),
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
            "multiply-accumulates an image": (numbers["macs"] / 1e6).map("{:,.1f} M".format),
            "seconds of training": seconds,
            "peak memory": (numbers["peak_memory"] / 2**30).map("{:.2f} GiB".format),
        }
    )
    match = experiment.match
    notes = [
        f"Matched in {style.QUANTITIES[match.quantity]} to {style.label(match.model)} "
        f"within {100 * match.tolerance:g} %. "
        f"{experiment.training.epochs} epochs, batches of {experiment.training.batch_size} "
        f"on {', '.join(sorted(devices))}.",
        over_seeds(len(experiment.seeds)),
    ]
    return Table(numbers, printed, notes)
