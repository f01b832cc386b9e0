"""F5: interpolation among the latents of four real images, which lie in the corners."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae.paper import style
from fvae.params import Experiment


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """One square sheet for every four images."""
    sheets = style.samples(experiment_name, experiment, "interpolation_four")
    figure, axes = style.stack(len(sheets), experiment, aspect=1.0, across=min(2, len(sheets)))
    for panel, images in zip(axes, sheets, strict=False):
        style.show(panel, images)
    for panel in axes[len(sheets) :]:
        panel.set_axis_off()
    figure.suptitle(
        f"{style.label(experiment.figures.model)}: among four real images",
        fontsize=experiment.figures.font_size,
    )
    return figure
