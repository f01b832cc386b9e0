"""Samples beside their nearest training images: whether a model has learned faces by heart."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from fvae import layout
from fvae.data.dataset import load
from fvae.paper import style
from fvae.params import Experiment

SAMPLES, NEIGHBOURS = 12, 4
AT_ONCE = 2000  # training images


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """A column a sample: itself, and below it the nearest training images or mirror images, the nearest first."""
    samples = style.samples(experiment_name, experiment, "random")[:SAMPLES]
    train = load(layout.data(experiment_name)).split("train")
    rows = np.stack([samples, *nearest(samples, train, NEIGHBOURS).swapaxes(0, 1)])
    figure, (axes,) = style.stack(1, experiment, aspect=rows.shape[0] / rows.shape[1])
    style.show(axes, rows)
    axes.axhline(rows.shape[3] + 0.0, color="white", linewidth=3)
    model = style.label(experiment.figures.model)
    axes.set_title(f"{model}: samples (first row) and their nearest training images, by Euclidean distance of pixels")
    return figure


def nearest(samples: np.ndarray, train: np.ndarray, neighbours: int) -> np.ndarray:
    """For each of uint8 images (N, C, H, W) the nearest of train, mirrored where that is nearer: (N, k, C, H, W)."""
    wanted = samples.reshape(len(samples), -1).astype(np.float32)
    distances = []
    for start in range(0, len(train), AT_ONCE):
        part = train[start : start + AT_ONCE]
        flat = part.reshape(len(part), -1).astype(np.float32)
        mirrored = part[..., ::-1].reshape(len(part), -1).astype(np.float32)
        distances.append(np.stack([squares(wanted, flat), squares(wanted, mirrored)]))
    both = np.concatenate(distances, axis=2)  # (2, samples, train)
    order = both.min(0).argsort(1, kind="stable")[:, :neighbours]
    return np.stack(
        [
            np.stack([train[k][..., ::-1] if both[1, row, k] < both[0, row, k] else train[k] for k in chosen])
            for row, chosen in enumerate(order)
        ]
    )


def squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances, (N, D) and (M, D) → (N, M), up to a term of a's own."""
    return (b * b).sum(1)[None] - 2 * a @ b.T
