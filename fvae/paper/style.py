"""The one style of all figures: vector text, readable at column width, in colours for colour-blind readers too."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fvae import layout
from fvae.errors import UserError
from fvae.files import write
from fvae.params import Experiment, Figures
from fvae.results import read_samples

LABELS = {  # in the order of their colours
    "vae_dense": "VAE, dense latent",
    "vae": "VAE",
    "glow": "Glow",
    "fvae": "f-VAE",
    "fvae_reduced": "f-VAE, d < D",
    "fvae_conv": "f-VAE, our E and G",
    "vae_reduced": "VAE, d < D",
    "nice": "NICE",
    "realnvp": "RealNVP",
    "mixture": "mixture (16)",
    "fvae_autoregressive": "f-VAE, autoregressive F",
    "vae_planar": "VAE, planar flows",
    "vae_iaf": "VAE, IAF",
}
# Okabe & Ito, with a grey in place of their yellow, which is faint on white
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#8C8C8C")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))  # one fewer than colours, for more pairs
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # as many as lines
GREY = "#595959"
QUANTITIES = {
    "parameters": "parameters",
    "macs": "multiply-accumulates",
}


def label(model: str) -> str:
    """A model's name as the paper writes it."""
    if model.endswith("_parameters"):
        return f"{label(model.removesuffix('_parameters'))}, equal parameters"
    return LABELS.get(model, model.replace("_", " "))


def pair(index: int, kinds: Sequence[Any] = LINES) -> tuple[str, Any]:
    """A colour and a kind of line or marker; 56 indices in a row have different pairs."""
    return COLOURS[index % len(COLOURS)], kinds[index % len(kinds)]


def pairs(models: Collection[str], kinds: Sequence[Any] = LINES) -> dict[str, tuple[str, Any]]:
    """The `pair` of each model. A model of LABELS has the same in every experiment."""
    places = [*LABELS, *(model for model in models if model not in LABELS)]
    return {model: pair(places.index(model), kinds) for model in models}


def legend(figure: Figure, lines: Sequence[Artist], labels: Sequence[str], columns: int) -> None:
    """The legend above all panels, in at most so many columns: in fewer where the figure is not wide enough."""
    for number in range(min(columns, len(labels)), 0, -1):
        made = figure.legend(lines, labels, loc="outside upper center", ncols=number)
        if number == 1 or made.get_window_extent().width <= figure.bbox.width:
            return
        made.remove()


def devices(costs: Iterable[Mapping[str, Any]]) -> list[str]:
    """The devices of some trainings in words, each once; a single thread in the singular."""
    named = {device for cost in costs for device in cost["device"].split("; ")}
    return sorted(re.sub(r", 1 threads$", ", 1 thread", device) for device in named)


@contextmanager
def context(figures: Figures) -> Iterator[None]:
    """Matplotlib's settings for the figures of an experiment."""
    size = figures.font_size
    settings: dict[Any, Any] = {
        "figure.dpi": figures.dpi,
        "figure.figsize": (figures.width, 0.5 * figures.width),
        "figure.constrained_layout.use": True,
        "font.family": "DejaVu Sans",
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": size,
        "xtick.labelsize": 0.9 * size,
        "ytick.labelsize": 0.9 * size,
        "legend.fontsize": 0.9 * size,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "lines.linewidth": 1.3,
        "image.interpolation": "none",
        "pdf.fonttype": 42,  # text stays text
        "svg.hashsalt": "fvae",
    }
    with mpl.rc_context(settings):
        yield


def save(figure: Figure, path: Path, provenance: str = "") -> None:
    """Write a figure with its provenance and without dates, so that the same figure is the same file."""
    metadata = {"Keywords": provenance, "CreationDate" if path.suffix == ".pdf" else "Software": None}
    write(path, lambda partial: figure.savefig(partial, format=path.suffix[1:], metadata=metadata))


def sheet(images: np.ndarray, gap: int = 1) -> np.ndarray:
    """A grid of images, (rows, columns, C, H, W) uint8 → (H', W', 3) uint8, with white gaps."""
    rows, columns, channels, height, width = images.shape
    grid = np.full((rows, height + gap, columns, width + gap, channels), 255, np.uint8)
    grid[:, :height, :, :width] = images.transpose(0, 3, 1, 4, 2)
    return grid.reshape(rows * (height + gap), columns * (width + gap), channels)[: -gap or None, : -gap or None]


def show(axes: Axes, images: np.ndarray, title: str = "") -> None:
    """Show a grid of images, (rows, columns, C, H, W) uint8."""
    axes.imshow(sheet(images))
    axes.set_axis_off()
    axes.set_title(title)


def first(images: np.ndarray, rows: int, columns: int, task: str) -> np.ndarray:
    """The first rows × columns of images (N, C, H, W) as a grid. Raises UserError where there are too few."""
    if len(images) < rows * columns:
        raise UserError(f"sampling.{task}.images: the figure needs {rows * columns}, there are {len(images)}")
    return images[: rows * columns].reshape(rows, columns, *images.shape[1:])


def samples(experiment_name: str, experiment: Experiment, task: str, model: str | None = None) -> np.ndarray:
    """The uint8 images of a sampling task: of a model, or of the one that the figures show; the first seed."""
    run = layout.Run(experiment_name, model or experiment.figures.model, experiment.seeds[0])
    return read_samples(run, task)


def stack(
    panels: int, experiment: Experiment, aspect: float, across: int = 1, lines: int = 1, footer: int = 0
) -> tuple[Figure, Sequence[Axes]]:
    """A figure of panels of a given height/width, `across` in a row.

    There is room for `lines` of text above each panel and for `footer` lines below all.
    """
    down = -(-panels // across)
    width = experiment.figures.width
    line = 1.4 * experiment.figures.font_size / 72
    height = down * (width / across * aspect + (0.7 + lines) * line) + footer * line
    figure = Figure(figsize=(width, height))
    return figure, list(figure.subplots(down, across, squeeze=False).flat)
