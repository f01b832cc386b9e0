"""F1: straight lines between the latents of two real images."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from fvae.paper import style
from fvae.params import Experiment


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """One row per pair: a real image, the images of the line from its latent to the other's, the other real image."""
    pairs = style.samples(experiment_name, experiment, "pairs")
    _, columns, channels, _, width = pairs.shape
    strips = [style.sheet(part) for part in (pairs[:, :1], pairs[:, 1:-1], pairs[:, -1:])]
    gap = np.full((len(strips[0]), max(2, width // 6), channels), 255, np.uint8)
    picture = np.concatenate([strips[0], gap, strips[1], gap, strips[2]], axis=1)
    figure, (axes,) = style.stack(1, experiment, aspect=picture.shape[0] / picture.shape[1])
    axes.imshow(picture)
    axes.set_axis_off()
    axes.set_title(f"{style.label(experiment.figures.model)}: a real image, {columns - 2} steps, a real image")
    return figure
