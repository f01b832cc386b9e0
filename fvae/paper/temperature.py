"""F6: the effect of the temperature T, a standard deviation of the prior's noise, in pictures and in SWD."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae import layout
from fvae.files import read_json
from fvae.paper import style
from fvae.params import Experiment

ACROSS = 4


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """A sheet a temperature, an image's place being its u, the same in every sheet; then SWD against T."""
    sheets = style.samples(experiment_name, experiment, "temperatures")
    side = min(int(sheets.shape[1] ** 0.5), max(experiment.figures.sheet))
    figure, axes = style.stack(len(sheets) + 1, experiment, aspect=1.0, across=min(ACROSS, len(sheets) + 1))
    temperatures = experiment.sampling.temperatures.temperatures
    for panel, images, temperature in zip(axes, sheets, temperatures, strict=False):
        style.show(panel, style.first(images, side, side, "temperatures"), f"T = {temperature:g}")
    run = layout.Run(experiment_name, experiment.figures.model, experiment.seeds[0])
    measured = read_json(run.metric("temperature"), "evaluate temperature")
    axes[len(sheets)].set_title(f"SWD × 10³, {measured['images']:,} images")
    curve = axes[len(sheets)].inset_axes((0.2, 0.2, 0.8, 0.8))  # its labels do not move the sheets
    curve.plot(temperatures, measured["swd"], marker="o", markersize=3, color=style.COLOURS[0])
    curve.set_xlabel("T")
    curve.set_ylim(bottom=0)
    for panel in axes[len(sheets) :]:
        panel.set_axis_off()
    return figure
