"""The grain: samples as the decoder gives them, and with the noise that q(x|z) describes."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae.paper import runs, style
from fvae.params import Experiment
from fvae.results import read_metric

SIDE = 5  # images of a sheet, down and across


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """Two sheets of the same latents for each f-VAE, without and with noise, and SWD at the finest level above each."""
    shown = runs("fvaes", experiment_name, experiment)
    figure, axes = style.stack(2 * len(shown), experiment, aspect=1.0, across=min(4, 2 * len(shown)), lines=3)
    for row, run in enumerate(shown):
        sheets = style.samples(experiment_name, experiment, "grain", run.model)
        measured = read_metric(run, "grain")
        for panel, images, name in zip(
            axes[2 * row : 2 * row + 2], sheets, ("without noise", "with noise"), strict=True
        ):
            distance = next(iter(measured[name.replace(" ", "_")].values()))  # at the finest level
            title = f"{style.label(run.model)}\n{name}\nSWD × 10³: {distance:.0f}"
            style.show(panel, style.first(images, SIDE, SIDE, "grain"), title)
    for panel in axes[2 * len(shown) :]:
        panel.set_axis_off()
    return figure
