"""F6: the effect of the temperature T, the standard deviation of the prior's noise, in pictures and in SWD."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from fvae import layout
from fvae.errors import UserError
from fvae.paper import style
from fvae.params import Experiment
from fvae.results import read_metric

ACROSS = 4


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """One sheet per temperature, all from the same noise u in the same places; then SWD against T."""
    sheets = style.samples(experiment_name, experiment, "temperatures")
    temperatures = experiment.sampling.temperatures.temperatures
    run = layout.Run(experiment_name, experiment.figures.model, experiment.seeds[0])
    measured = read_metric(run, "temperature")
    if len(sheets) != len(temperatures) or len(measured["swd"]) != len(temperatures):
        raise UserError(f"{run.folder}: not of sampling.temperatures; sample and evaluate them again")
    side = min(int(sheets.shape[1] ** 0.5), max(experiment.figures.sheet))
    figure, axes = style.stack(len(sheets) + 1, experiment, aspect=1.0, across=min(ACROSS, len(sheets) + 1))
    for panel, images, temperature in zip(axes, sheets, temperatures, strict=False):
        style.show(panel, style.first(images, side, side, "temperatures"), f"T = {temperature:g}")
    figure.suptitle(f"{style.label(run.model)}: latents from N(0, T²I)", fontsize=experiment.figures.font_size)
    axes[len(sheets)].set_title(f"SWD × 10³, {measured['images']:,} images")
    curve = axes[len(sheets)].inset_axes((0.2, 0.2, 0.8, 0.8))  # its labels do not move the sheets
    curve.plot(temperatures, np.array(measured["swd"], float), marker="o", markersize=3, color=style.COLOURS[0])
    curve.set_xlabel("T")
    curve.set_ylim(bottom=0)
    for panel in axes[len(sheets) :]:
        panel.set_axis_off()
    return figure
