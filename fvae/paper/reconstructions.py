"""Real held-out images, and each model's reconstructions from their noise-free latents."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from fvae.paper import style
from fvae.params import Experiment


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """One row of real images, and one row of reconstructions per model."""
    models = list(experiment.models)
    rows = [style.samples(experiment_name, experiment, "reconstructions", name) for name in models]
    grid = np.stack([rows[0][0], *(reconstructed for _, reconstructed in rows)])
    picture = style.sheet(grid)
    figure, (axes,) = style.stack(1, experiment, aspect=picture.shape[0] / picture.shape[1])
    axes.imshow(picture)
    height = picture.shape[0] / len(grid)
    names = ["real", *(style.label(name) for name in models)]
    axes.set_yticks([(row + 0.5) * height for row in range(len(grid))], names)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure
