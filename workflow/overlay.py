"""Learning curves of several revisions in one picture, without a network: what `dvc plots diff` shows in a browser."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import dvc.api
import pandas as pd
import typer
from dvc.exceptions import DvcException, PathMissingError
from dvc.scm import SCMError
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots
from matplotlib.ticker import MaxNLocator

from fvae import layout
from fvae.errors import UserError
from fvae.paper import style
from fvae.paper.curves import ROWS, history
from fvae.params import Experiment, load


def read(run: layout.Run, revision: str | None) -> pd.DataFrame | None:
    """A training's history in a revision, or as it is now; None where the revision has no such run."""
    if revision is None:
        return history(run) if run.history.exists() else None
    try:
        return pd.read_csv(io.StringIO(dvc.api.read(str(run.history), rev=revision)))
    except (FileNotFoundError, PathMissingError):
        return None
    except (SCMError, DvcException) as error:
        raise UserError(f"{revision}: {error}") from error


def draw(name: str, experiment: Experiment, revisions: list[str]) -> Figure:
    """A column a model, a row a metric, a line a revision, the last one the files as they are; the first seed."""
    width, models = experiment.figures.width, list(experiment.models)
    figure, grid = subplots(len(ROWS), len(models), figsize=(width, 0.6 * width), sharex=True, sharey="row")
    grid = grid.reshape(len(ROWS), len(models))
    for model, column in zip(models, grid.T, strict=True):
        column[0].set_title(style.label(model))
        column[-1].set_xlabel("epochs")
        for index, revision in enumerate([*revisions, None]):
            found = read(layout.Run(name, model, experiment.seeds[0]), revision)
            if found is None:
                continue
            colour, line = (cycle[index % len(cycle)] for cycle in (style.COLOURS, style.LINES))
            for (row, _), axes in zip(ROWS, column, strict=True):
                axes.plot(found["epoch"], found[row], linestyle=line, color=colour, label=revision or "now")
    grid[0, 0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for (_, text), axes in zip(ROWS, grid[:, 0], strict=True):
        axes.set_ylabel(f"held-out {text}")
    lines = {text: handle for axes in grid.flat for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    if not lines:
        raise UserError(f"no training of {name} in {', '.join(revisions)}, nor now")
    figure.legend(lines.values(), lines.keys(), loc="outside upper center", ncols=4)
    return figure


def main(
    revisions: Annotated[list[str], typer.Argument(help="Commits, tags or DVC experiments.")],
    experiment: Annotated[str, typer.Option(help="A section of params.yaml.")] = "demo",
) -> None:
    """Draw dvc_plots/EXPERIMENT.pdf and .png: held-out bits/dim and SWD in these revisions and now."""
    try:
        chosen = load().experiment(experiment)
        with style.context(chosen.figures):
            figure = draw(experiment, chosen, revisions)
            for suffix in ("pdf", "png"):
                path = Path("dvc_plots", f"{experiment}.{suffix}")
                style.save(figure, path)
                print(path)
    except UserError as error:
        sys.exit(f"fvae: {error}")


if __name__ == "__main__":
    typer.run(main)
