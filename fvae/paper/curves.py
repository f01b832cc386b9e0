"""Training curves over images and seconds: bits/dim of held-out images, and distances of new samples from them."""

from __future__ import annotations

from itertools import product

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator

from fvae import layout
from fvae.errors import UserError
from fvae.paper import style
from fvae.params import Experiment, Portraits
from fvae.results import read_history

ROWS = (("bpd", "held-out bits/dim"), ("swd", "held-out SWD × 10³"))
PORTRAIT_ROW = ("portrait_distance", "held-out portrait\ndistance, logarithmic")
LOGARITHMIC = "portrait_distance"  # it falls by orders of magnitude
EXACT_KIND = "flow"  # of models whose bits/dim is exact, not a bound
COLUMNS = (("images", "images seen"), ("seconds", "seconds of training"))


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """The mean over seeds, with their range shaded; ≤ marks a model of which bits/dim is an upper bound."""
    width = experiment.figures.width
    rows = [*ROWS, PORTRAIT_ROW] if isinstance(experiment.data, Portraits) else [*ROWS]
    size = (width, (0.1 + 0.27 * len(rows)) * width)
    figure = Figure(figsize=size)
    grid = figure.subplots(len(rows), len(COLUMNS), sharex="col", sharey="row")
    pairs = style.pairs(experiment.models)
    for name, spec in experiment.models.items():
        runs = [read_history(layout.Run(experiment_name, name, seed)) for seed in experiment.seeds]
        if len({len(run) for run in runs}) > 1:
            raise UserError(f"{layout.runs(experiment_name) / name}: the seeds differ in validations; train them again")
        for run, (row, _) in product(runs, rows):
            if row not in run:
                raise UserError(f"{layout.runs(experiment_name) / name}: no {row} in history.csv; train it again")
        colour, line = pairs[name]
        bound = "" if spec.kind == EXACT_KIND else " (≤)"
        for (row, _), axes_row in zip(rows, grid, strict=True):
            values = np.stack([run[row] for run in runs])
            for (column, _), axes in zip(COLUMNS, axes_row, strict=True):
                x = np.mean([run[column] for run in runs], axis=0)
                axes.plot(x, values.mean(0), linestyle=line, color=colour, label=style.label(name) + bound)
                axes.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
    for (row, text), axes_row in zip(rows, grid, strict=True):
        axes_row[0].set_ylabel(text)
        if row == LOGARITHMIC:
            axes_row[0].set_yscale("log")
            axes_row[0].yaxis.set_major_formatter("{x:g}")
            axes_row[0].yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))  # more labels would overlap
            axes_row[0].yaxis.set_minor_formatter("{x:g}")
    for (_, text), axes in zip(COLUMNS, grid[-1], strict=True):
        axes.set_xlabel(text)
    lines, labels = grid[0, 0].get_legend_handles_labels()
    style.legend(figure, lines, labels, columns=4)
    for axes in grid[0]:
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    grid[-1, 0].xaxis.set_major_formatter(EngFormatter(sep=""))
    return figure
