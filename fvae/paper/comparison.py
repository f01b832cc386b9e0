"""F3: samples of models of a similar size after the same number of images, beside real images."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.paper import style
from fvae.params import Experiment
from fvae.results import read_matched


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """One sheet of held-out images, unless `figures.real_images` is false, and one of each model's first draw."""
    rows, columns = experiment.figures.sheet
    real_images = experiment.figures.real_images
    panels = len(experiment.models) + real_images
    across = panels if panels <= 4 else min((4, 3), key=lambda across: -panels % across)
    figure, axes = style.stack(panels, experiment, aspect=rows / columns, across=across, lines=2, footer=1)
    if real_images:
        real = random_images(load(layout.data(experiment_name)).split("test"), rows * columns, "evaluate/test")
        style.show(axes[0], style.first(real, rows, columns, "random"), "held-out images\n")
    for panel, name in zip(axes[real_images:], experiment.models, strict=False):
        images = style.samples(experiment_name, experiment, "random", name)[0]
        _, size = read_matched(experiment_name, name)
        title = f"{style.label(name)}\n{size['parameters'] / 1e6:.2f} M parameters"
        style.show(panel, style.first(images, rows, columns, "random"), title)
    for panel in axes[panels:]:
        panel.set_axis_off()
    figure.supxlabel(
        f"matched in {style.QUANTITIES[experiment.match.quantity]}, after {experiment.training.images:,} images, "
        f"samples at T = {experiment.sampling.random.temperature:g}",
        fontsize=experiment.figures.font_size,
    )
    return figure
