"""F1: straight lines between the latents of two real images."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from fvae import layout
from fvae.paper import runs, style
from fvae.params import Experiment
from fvae.results import read_metric


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """The strips of each f-VAE, one under the other."""
    shown = runs("fvaes", experiment_name, experiment)
    pictures = [strips(style.samples(experiment_name, experiment, "interpolation", run.model)) for run in shown]
    aspect = pictures[0].shape[0] / pictures[0].shape[1]
    figure, axes = style.stack(len(shown), experiment, aspect=aspect, lines=2)
    for panel, run, picture in zip(axes, shown, pictures, strict=True):
        panel.imshow(picture)
        panel.set_axis_off()
        steps = experiment.sampling.interpolation.steps
        panel.set_title(f"{style.label(run.model)}: a real image, {steps} steps, a real image{probabilities(run)}")
    return figure


def strips(pairs: np.ndarray) -> np.ndarray:
    """One row per pair: a real image, the images of the line from its latent to the other's, the other real image."""
    width, channels = pairs.shape[-1], pairs.shape[2]
    first, between, last = (style.sheet(part) for part in (pairs[:, :1], pairs[:, 1:-1], pairs[:, -1:]))
    gap = np.full((len(first), max(2, width // 6), channels), 255, np.uint8)
    return np.concatenate([first, gap, between, gap, last], axis=1)


def probabilities(run: layout.Run) -> str:
    """The mean probability of the factors that are read halfway, beside a fade of pixels; nothing of photographs."""
    found = read_metric(run, "interpolation")
    if found["model"] is None:
        return ""
    halfway = len(found["model"]) // 2
    return (
        f"\nconfidence of the factor reader: halfway {found['model'][halfway]:.2f}, "
        f"in a cross-fade {found['cross_fade'][halfway]:.2f}, in real images {found['real']:.2f}"
    )
