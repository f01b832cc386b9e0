"""F6: the effect of the temperature T, a standard deviation of the prior's noise."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae.paper import style
from fvae.params import Experiment

ACROSS = 4


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """A sheet a temperature; an image's place is its u, the same in every sheet."""
    sheets = style.samples(experiment_name, experiment, "temperatures")
    side = int(sheets.shape[1] ** 0.5)
    figure, axes = style.stack(len(sheets), experiment, aspect=1.0, across=min(ACROSS, len(sheets)))
    temperatures = experiment.sampling.temperatures.temperatures
    for panel, images, temperature in zip(axes, sheets, temperatures, strict=False):
        style.show(panel, style.first(images, side, side, "temperatures"), f"T = {temperature:g}")
    for panel in axes[len(sheets) :]:
        panel.set_axis_off()
    return figure
