"""The paper's tables and figures, one a file, named after it."""

from __future__ import annotations

from importlib import import_module

from fvae import layout
from fvae.params import Experiment

TABLES = ("sizes", "metrics")
FIGURES = (
    "data",
    "structures",
    "comparison",
    "samples",
    "interpolation",
    "interpolation_four",
    "temperature",
    "neighbours",
    "spectra",
    "reconstructions",
    "curves",
)


def make_table(name: str, experiment_name: str, experiment: Experiment) -> None:
    """Write a table as CSV (numbers), Markdown and LaTeX (as printed)."""
    from fvae.paper.table import save

    save(import_module(f"fvae.paper.{name}").table(experiment_name, experiment), experiment_name, name)


def make_figure(name: str, experiment_name: str, experiment: Experiment) -> None:
    """Draw a figure and write it as PDF and PNG."""
    from fvae.paper import style

    with style.context(experiment.figures):
        figure = import_module(f"fvae.paper.{name}").draw(experiment_name, experiment)
        for suffix in ("pdf", "png"):
            style.save(figure, layout.figure(experiment_name, name, suffix))
