"""Numbers of an experiment against a parameter of its models: a table, and a figure with 95 % intervals over seeds.

    python -m workflow.sweep encoder.latent --experiment latents          models that differ in the parameter
    python -m workflow.sweep encoder.latent --model fvae_conv A B C       one model in several revisions

A number stands in results/EXPERIMENT/metrics.json of each revision, and the parameter in its params.yaml.
"""

from __future__ import annotations

import sys
import tempfile
from math import sqrt
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.scm import SCMError
from matplotlib.figure import Figure
from scipy.special import stdtrit

from fvae import layout
from fvae.errors import UserError
from fvae.files import read_json
from fvae.paper import style
from fvae.paper.rules.statistics import LEVEL
from fvae.params import Experiment, load
from workflow.overlay import write

NUMBERS = {  # of metrics.json; what not every model has is left out
    "bits_per_dim": "bits/dim",
    "swd": "SWD × 10³",
    "portrait_distance": "portrait distance",
    "random_features_frechet": "Fréchet, random features",
    "fid": "FID",
}


def rows(folder: Path, experiment_name: str, parameter: str, chosen: list[str]) -> list[dict[str, Any]]:
    """A row for each model whose parameter is a number: its numbers, and half of their intervals as NAME_half."""
    experiment = load(folder / "params.yaml").experiment(experiment_name)
    measured = read_json(folder / layout.metrics(experiment_name), f"summary --experiment {experiment_name}")
    seeds, found = len(experiment.seeds), []
    for model, spec in experiment.models.items():
        value: Any = spec.model_dump(mode="json")
        for name in parameter.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, bool | str | dict | list | None) or (chosen and model not in chosen):
            continue
        row: dict[str, Any] = {parameter: value, "model": model, "seeds": seeds}
        for name in NUMBERS:
            row[name], deviation = (measured[model].get(key) for key in (name, f"{name}_std"))
            row[f"{name}_half"] = deviation and stdtrit(seeds - 1, (1 + LEVEL) / 2) * deviation / sqrt(seeds)
        found.append(row)
    return found


def fetch(revision: str, metrics: Path, folder: Path) -> None:
    """Copy a revision's parameters and numbers into a folder. Raises UserError where it has none."""
    try:
        files = DVCFileSystem(rev=revision)
        if not files.exists(str(metrics)):
            raise UserError(f"{revision}: it has no {metrics}")
        for name in filter(files.exists, ("params.yaml", "experiments", str(metrics))):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            files.get(name, str(folder / name), recursive=True)
    except (SCMError, DvcException) as error:
        raise UserError(f"{revision}: {error}") from error


def collect(revisions: list[str], experiment_name: str, parameter: str, chosen: list[str]) -> pd.DataFrame:
    """The rows of all revisions, or of the present where there are none, in the order of the parameter."""
    found = [] if revisions else rows(Path(), experiment_name, parameter, chosen)
    for revision in revisions:
        with tempfile.TemporaryDirectory() as folder:
            fetch(revision, layout.metrics(experiment_name), Path(folder))
            found += rows(Path(folder), experiment_name, parameter, chosen)
    if not found:
        raise UserError(f"{parameter}: no model of {experiment_name} that was chosen has a number there")
    table = pd.DataFrame(found).sort_values(parameter, ignore_index=True)
    if len(twice := table[table[parameter].duplicated(keep=False)]):
        models = " and ".join(twice["model"].unique())
        raise UserError(f"{parameter}: several have the same value ({models}); say which are meant by --model")
    kept = [name for name in NUMBERS if table[name].notna().all()]
    return table[[parameter, "model", "seeds", *kept, *(f"{name}_half" for name in kept)]]


def draw(table: pd.DataFrame, parameter: str, experiment: Experiment) -> Figure:
    """A panel for each number: means over seeds, with their intervals where there are several seeds."""
    shown = [name for name in NUMBERS if name in table]
    figure, panels = style.stack(len(shown), experiment, aspect=0.62, across=2)
    for axes, name in zip(panels, shown, strict=False):
        halves = None if table[f"{name}_half"].isna().any() else table[f"{name}_half"].astype(float)
        axes.errorbar(
            table[parameter], table[name], halves, marker="o", markersize=3, capsize=2, color=style.COLOURS[0]
        )
        axes.set_xlabel(parameter)
        axes.set_ylabel(NUMBERS[name])
        if 0 < 8 * table[parameter].min() <= table[parameter].max():
            axes.set_xscale("log")
            axes.set_xticks(table[parameter], table[parameter].map("{:g}".format), minor=False)
            axes.minorticks_off()
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    return figure


def printed(table: pd.DataFrame) -> str:
    """The table in Markdown: each number with half of its interval."""
    cells = table[[name for name in table if not str(name).endswith("_half") and name not in NUMBERS]].astype(str)
    for name in (name for name in NUMBERS if name in table):
        halves = table[f"{name}_half"]
        cells[NUMBERS[name]] = [
            f"{mean:.3f}" + ("" if pd.isna(half) else f" ± {half:.3f}")
            for mean, half in zip(table[name], halves, strict=True)
        ]
    return cells.to_markdown(index=False, disable_numparse=True)


def main(
    parameter: Annotated[str, typer.Argument(help="Within a model's section, such as encoder.latent.")],
    revisions: Annotated[
        list[str] | None, typer.Argument(help="Commits or DVC experiments; none: what is here.")
    ] = None,
    experiment: Annotated[str, typer.Option(help="A section of params.yaml.")] = "demo",
    model: Annotated[list[str] | None, typer.Option(help="Only this model; may be given several times.")] = None,
) -> None:
    """Print the table, and draw dvc_plots/EXPERIMENT-PARAMETER.pdf and .png."""
    try:
        chosen = load().experiment(experiment)
        table = collect(revisions or [], experiment, parameter, model or [])
        print(printed(table))
        with style.context(chosen.figures):
            write(draw(table, parameter, chosen), f"{experiment}-{parameter}")
    except UserError as error:
        sys.exit(f"fvae: {error}")


if __name__ == "__main__":
    typer.run(main)
