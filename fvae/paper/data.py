"""The prepared images: a sheet, the sizes of the splits, mean and deviation of each channel."""

from __future__ import annotations

from matplotlib.figure import Figure

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.paper import style
from fvae.params import Experiment

ROWS, COLUMNS = 5, 12


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """Random training images."""
    images = load(layout.data(experiment_name))
    manifest = images.manifest
    shown = random_images(images.split("train"), ROWS * COLUMNS, "figure/data")
    figure, (axes,) = style.stack(1, experiment, aspect=ROWS / COLUMNS)
    style.show(axes, style.first(shown, ROWS, COLUMNS, "data"))
    size = experiment.data.size
    splits = ", ".join(f"{count:,} {split}" for split, count in manifest["splits"].items())
    moments = ", ".join(
        f"{channel} {mean:.0f} ± {std:.0f}"
        for channel, mean, std in zip("RGB", manifest["mean"], manifest["std"], strict=True)
    )
    axes.set_title(f"{experiment_name}: {size}×{size}; {splits}; {moments}")
    return figure
