"""Kinds of portraits among the samples, as the factor reader reads them, beside those of the test images."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fvae import layout
from fvae.errors import UserError
from fvae.paper import style
from fvae.params import Experiment
from fvae.results import Shares, read_metric

COLUMNS = (("hair", "others"), ("beard", "glasses", "neckline", "texture"))  # of panels
LINE = 0.17  # inches of height for a kind


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """For each kind its true share in the test images (bar), what is read there (line), and that of each model.

    Of a model the mean over seeds. Factors of two kinds, such as a hat, have one line in the panel `others`.
    """
    measured = {
        model: [of_run(layout.Run(experiment_name, model, seed)) for seed in experiment.seeds]
        for model in experiment.models
    }
    first = next(iter(measured.values()))[0]
    true, read = (panels(first[key]) for key in ("true_shares", "shares_of_test_images"))
    models = {model: [panels(run["shares"]) for run in runs] for model, runs in measured.items()}
    rows = max(sum(len(true[name]) + 2 for name in column) for column in COLUMNS)
    figure = Figure(figsize=(experiment.figures.width, LINE * (rows + 3)))
    grid = figure.add_gridspec(1, len(COLUMNS))
    for place, column in enumerate(COLUMNS):
        heights = [len(true[name]) for name in column]
        cells = grid[place].subgridspec(len(column), 1, height_ratios=heights)
        for row, name in enumerate(column):
            shares = {
                model: np.mean([list(run[name].values()) for run in runs], axis=0) for model, runs in models.items()
            }
            panel(figure.add_subplot(cells[row]), name, true[name], read[name], shares)
    lines, labels = figure.axes[0].get_legend_handles_labels()
    lines, labels = [lines[-1], *lines[:-1]], [labels[-1], *labels[:-1]]  # the bars first
    style.legend(figure, lines, labels, columns=5)
    return figure


def of_run(run: layout.Run) -> dict[str, Shares]:
    """The shares of a run. Raises UserError where its images are no portraits."""
    found = read_metric(run, "portrait_distance")
    if found["portrait_distance"] is None:
        raise UserError(f"{run.metric('portrait_distance')}: {found['reason']}")
    return found


def panels(shares: Shares) -> Shares:
    """The kinds of each panel: those of a factor of more than two kinds, and the second of each other factor."""
    many = {factor: kinds for factor, kinds in shares.items() if len(kinds) > 2}
    return many | {"others": {factor: [*kinds.values()][1] for factor, kinds in shares.items() if factor not in many}}


def panel(axes: Axes, name: str, true: dict[str, float], read: dict[str, float], models: dict[str, np.ndarray]) -> None:
    """The shares of one factor's kinds, a line each."""
    places = np.arange(len(true))
    axes.barh(places, list(true.values()), height=0.8, color="#D9D9D9", label="test images: true share")
    axes.plot(list(read.values()), places, "|", color="black", markersize=8, label="test images: share as read")
    pairs = style.pairs(models, style.MARKERS)
    for model, shares in models.items():
        colour, marker = pairs[model]
        axes.plot(shares, places, linestyle="", color=colour, marker=marker, markersize=3.5, label=style.label(model))
    axes.set_yticks(places, list(true))
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(true) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_title(name, loc="left")
