"""F3: samples of models of a similar size after the same number of epochs, beside real images."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae import layout
from fvae.data.dataset import load
from fvae.models.build import describe
from fvae.models.match import resolve
from fvae.paper import style
from fvae.params import Experiment


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """A sheet of held-out images and one of each model's samples, at the temperature that the metrics use."""
    rows, columns = experiment.figures.sheet
    specs = resolve(experiment)
    panels = len(specs) + 1
    across = panels if panels <= 4 else min((4, 3), key=lambda across: -panels % across)
    figure, axes = style.stack(panels, experiment, aspect=rows / columns, across=across, lines=2, footer=1)
    real = load(layout.data(experiment_name)).split("test")
    style.show(axes[0], style.first(real, rows, columns, "random"), "held-out images\n")
    for panel, (name, spec) in zip(axes[1:], specs.items(), strict=False):
        images = style.samples(experiment_name, experiment, "random", name)
        parameters = describe(spec, experiment.data.size)["parameters"]
        title = f"{style.label(name)}\n{parameters / 1e6:.2f} M parameters"
        style.show(panel, style.first(images, rows, columns, "random"), title)
    for panel in axes[panels:]:
        panel.set_axis_off()
    figure.supxlabel(
        f"matched in {style.QUANTITIES[experiment.match.quantity]}, after {experiment.training.epochs} epochs, "
        f"samples at T = {experiment.sampling.random.temperature:g}",
        fontsize=experiment.figures.font_size,
    )
    return figure
