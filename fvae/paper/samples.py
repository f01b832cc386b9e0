"""F4: two sheets of random samples."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae.paper import style
from fvae.params import Experiment


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """Two square sheets of samples of one model, at the temperature of sampling.sheets."""
    images = style.samples(experiment_name, experiment, "sheets")
    side = int((len(images) // 2) ** 0.5)
    settings = experiment.sampling.sheets
    figure, axes = style.stack(2, experiment, aspect=1.0, across=2)
    for panel, part in zip(axes, (images[: side**2], images[side**2 :]), strict=True):
        style.show(panel, style.first(part, side, side, "sheets"))
    figure.suptitle(
        f"{style.label(experiment.figures.model)}: random samples at T = {settings.temperature:g}",
        fontsize=experiment.figures.font_size,
    )
    return figure
