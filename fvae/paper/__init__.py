"""The paper's tables and figures, one module each, named after it. Importing this package is cheap."""

from __future__ import annotations

import ast
import json
import re
from importlib import import_module
from pathlib import Path

from fvae import layout
from fvae.errors import UserError
from fvae.params import Experiment, Portraits
from fvae.provenance import provenance

TABLES = ("sizes", "metrics", "fidelity", "random_features")
FIGURES = {  # and which trainings they show, as `runs` explains
    "data": "none",
    "structures": "none",
    "comparison": "models",
    "samples": "shown",
    "interpolation": "fvaes",
    "interpolation_four": "shown",
    "temperature": "shown",
    "neighbours": "shown",
    "what_the_flow_adds": "autoencoders",
    "grain": "fvaes",
    "spectra": "all",
    "reconstructions": "models",
    "curves": "all",
    "factors": "all",
    "corruptions": "none",
}
OF_PORTRAITS = ("factors",)  # figures only of experiments with drawn portraits


def figures(experiment: Experiment) -> tuple[str, ...]:
    """The names of the figures that an experiment has."""
    return tuple(name for name in FIGURES if name not in OF_PORTRAITS or isinstance(experiment.data, Portraits))


def caption(name: str) -> str:
    """The caption of a figure, of a table, of 'claims' or of 'article': the docstring of its module.

    The source is parsed, not imported. A docstring such as 'F4: two sheets.' gives 'Two sheets (F4 of the paper).'
    """
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source)) or ""
    numbered = re.fullmatch(r"(F\d): (.)(.*)\.", text)
    return f"{numbered[2].upper()}{numbered[3]} ({numbered[1]} of the paper)." if numbered else text


def runs(shown: str, experiment_name: str, experiment: Experiment) -> list[layout.Run]:
    """The trainings that a figure shows.

    none; shown: the first of the model that `figures.model` names; models: the first of each; autoencoders: the first
    of each with E and G; fvaes: the first of each that `claims.fvae` names, or that of `figures.model` where it names
    none; all: every seed of every model.
    """
    models = {
        "none": [],
        "shown": [experiment.figures.model],
        "autoencoders": [name for name, spec in experiment.models.items() if spec.kind != "flow"],
        "fvaes": [*experiment.claims.fvae] or [experiment.figures.model],
        "models": [*experiment.models],
        "all": [*experiment.models],
    }[shown]
    seeds = experiment.seeds if shown == "all" else experiment.seeds[:1]
    return [layout.Run(experiment_name, model, seed) for model in models for seed in seeds]


def make_table(name: str, experiment_name: str, experiment: Experiment) -> None:
    """Write a table as CSV (numbers), Markdown and LaTeX (as printed)."""
    from fvae.paper.table import save

    save(import_module(f"fvae.paper.{name}").table(experiment_name, experiment), experiment_name, name)


def make_figure(name: str, experiment_name: str, experiment: Experiment) -> None:
    """Draw a figure and write it as PDF and PNG, with its provenance inside. Raises UserError where there is none."""
    from fvae.paper import style

    if name not in figures(experiment):
        raise UserError(f"NAME: the figure '{name}' is only of drawn portraits, and {experiment_name} has others")

    made_of = provenance(experiment_name, experiment, runs(FIGURES[name], experiment_name, experiment))
    with style.context(experiment.figures):
        figure = import_module(f"fvae.paper.{name}").draw(experiment_name, experiment)
        for suffix in ("pdf", "png"):
            style.save(figure, layout.figure(experiment_name, name, suffix), json.dumps(made_of))
