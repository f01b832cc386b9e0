"""Samples beside their nearest training images, which shows whether a model has memorised faces."""

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
    """One column per sample: the sample, and below it the nearest training images or mirror images, nearest first."""
    samples = style.samples(experiment_name, experiment, "random")[0, :SAMPLES]
    train = load(layout.data(experiment_name)).training_images(hold_out=experiment.training.hold_out)
    rows = np.stack([samples, *nearest(samples, train, NEIGHBOURS).swapaxes(0, 1)])
    figure, (axes,) = style.stack(1, experiment, aspect=rows.shape[0] / rows.shape[1])
    style.show(axes, rows)
    axes.axhline(rows.shape[3] + 0.0, color="white", linewidth=3)
    model = style.label(experiment.figures.model)
    axes.set_title(f"{model}: samples (first row) and their nearest\ntraining images, by Euclidean distance of pixels")
    return figure


def nearest(samples: np.ndarray, train: np.ndarray, neighbours: int) -> np.ndarray:
    """The k nearest images of `train` to each of N uint8 images, mirrored where that is nearer: (N, k, C, H, W)."""
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
    """Squared Euclidean distances, (N, D) and (M, D) → (N, M), without the term a², which does not change an order."""
    return (b * b).sum(1)[None] - 2 * a @ b.T
