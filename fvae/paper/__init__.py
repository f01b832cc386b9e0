"""The paper's tables and figures, one a file, named after it."""

from __future__ import annotations

import json
from importlib import import_module

from fvae import layout
from fvae.params import Experiment
from fvae.provenance import provenance

TABLES = ("sizes", "metrics", "fidelity")
FIGURES = {  # and which models they show: none, the one that `figures.model` names, or all
    "data": "none",
    "structures": "none",
    "comparison": "all",
    "samples": "shown",
    "interpolation": "shown",
    "interpolation_four": "shown",
    "temperature": "shown",
    "neighbours": "shown",
    "spectra": "all",
    "reconstructions": "all",
    "curves": "all",
}


def runs(shown: str, experiment_name: str, experiment: Experiment) -> list[layout.Run]:
    """The trainings that a figure shows: none, the first of the model that `figures.model` names, or all."""
    if shown == "shown":
        return [layout.Run(experiment_name, experiment.figures.model, experiment.seeds[0])]
    models = experiment.models if shown == "all" else []
    return [layout.Run(experiment_name, model, seed) for model in models for seed in experiment.seeds]


def make_table(name: str, experiment_name: str, experiment: Experiment) -> None:
    """Write a table as CSV (numbers), Markdown and LaTeX (as printed)."""
    from fvae.paper.table import save

    save(import_module(f"fvae.paper.{name}").table(experiment_name, experiment), experiment_name, name)


def make_figure(name: str, experiment_name: str, experiment: Experiment) -> None:
    """Draw a figure and write it as PDF and PNG, with its provenance inside."""
    from fvae.paper import style

    made_of = provenance(experiment_name, experiment, runs(FIGURES[name], experiment_name, experiment))
    with style.context(experiment.figures):
        figure = import_module(f"fvae.paper.{name}").draw(experiment_name, experiment)
        for suffix in ("pdf", "png"):
            style.save(figure, layout.figure(experiment_name, name, suffix), json.dumps(made_of))
