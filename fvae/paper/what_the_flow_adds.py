"""What the flow adds: images that one decoder makes of latents from simple Gaussians, and from the flow."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae.paper import runs, style
from fvae.params import Experiment
from fvae.results import read_metric

TITLES = {
    "standard": "v ∼ N(0, I)",
    "marginals": "v ∼ N(μ, diag Σ)",
    "gaussian": "v ∼ N(μ, Σ)",
    "flow": "v = F⁻¹(z), z ∼ N(0, I)",
}
SIDE = 4  # images of a sheet, down and across


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """A row of sheets for each model with a decoder G(v), a column for each source of v, and the distance above each.

    μ and Σ are the mean and the covariance of v = E(x) + σu over training images.
    """
    shown = runs("autoencoders", experiment_name, experiment)
    figure, axes = style.stack(len(shown) * len(TITLES), experiment, aspect=1.0, across=len(TITLES), lines=2)
    for row, run in enumerate(shown):
        sheets = style.samples(experiment_name, experiment, "sources", run.model)
        measured = read_metric(run, "sources")
        panels = axes[row * len(TITLES) : (row + 1) * len(TITLES)]
        for panel in panels:
            panel.set_axis_off()
        place = panels[0].transAxes
        panels[0].text(-0.06, 0.5, style.label(run.model), rotation=90, ha="right", va="center", transform=place)
        name, distances = "SWD × 10³", measured["swd"]
        if measured["portrait_distance"] is not None:
            name, distances = "portrait distance", measured["portrait_distance"]
        for panel, source, images, distance in zip(panels, measured["sources"], sheets, distances, strict=False):
            title = f"{TITLES[source]}\n{name}: {distance:.1f}"
            style.show(panel, style.first(images, SIDE, SIDE, "sources"), title)
        for panel in panels[len(sheets) :]:
            panel.text(
                0.5, 0.5, "no flow in this model", ha="center", va="center", color=style.GREY, transform=panel.transAxes
            )
    return figure
