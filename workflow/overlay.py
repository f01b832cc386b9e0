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
from matplotlib.ticker import EngFormatter

from fvae import layout
from fvae.errors import UserError
from fvae.paper import style
from fvae.paper.curves import ROWS
from fvae.params import Experiment, load


def read(experiment: str, revision: str | None) -> pd.DataFrame | None:
    """The validations of all trainings in a revision, or now for None; None where there are none."""
    path = layout.history(experiment)
    if revision is None:
        return pd.read_csv(path) if path.exists() else None
    try:
        return pd.read_csv(io.StringIO(dvc.api.read(str(path), rev=revision)))
    except (FileNotFoundError, PathMissingError):
        return None
    except (SCMError, DvcException) as error:
        raise UserError(f"{revision}: {error}") from error


def draw(name: str, experiment: Experiment, revisions: list[str]) -> Figure:
    """One column per model, one row per metric, one line per revision: the mean over seeds. The last is the present."""
    width, models = experiment.figures.width, list(experiment.models)
    figure, grid = subplots(
        len(ROWS), len(models), figsize=(width, 0.6 * width), sharex=True, sharey="row", squeeze=False
    )
    histories = [(revision or "now", read(name, revision)) for revision in [*revisions, None]]
    for model, column in zip(models, grid.T, strict=True):
        column[0].set_title(style.label(model).replace(", ", ",\n"))
        column[-1].set_xlabel("images seen")
        for index, (label, history) in enumerate(histories):
            if history is None or model not in set(history["model"]):
                continue
            means = history[history["model"] == model].groupby("images")[[row for row, _ in ROWS]].mean()
            colour, line = style.pair(index)
            for (row, _), axes in zip(ROWS, column, strict=True):
                axes.plot(means.index, means[row], linestyle=line, color=colour, label=label)
    grid[0, 0].xaxis.set_major_formatter(EngFormatter(sep=""))
    for (_, text), axes in zip(ROWS, grid[:, 0], strict=True):
        axes.set_ylabel(text)
    lines = {text: handle for axes in grid.flat for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    if not lines:
        raise UserError(f"{layout.history(name)}: not in {', '.join(revisions)}, nor here")
    style.legend(figure, list(lines.values()), list(lines), columns=4)
    return figure


def write(figure: Figure, name: str) -> None:
    """Write dvc_plots/NAME.pdf and .png, and print where they are."""
    for suffix in ("pdf", "png"):
        path = Path("dvc_plots", f"{name}.{suffix}")
        style.save(figure, path)
        print(path)


def main(
    revisions: Annotated[list[str], typer.Argument(help="Commits, tags or DVC experiments.")],
    experiment: Annotated[str, typer.Option(help="A section of params.yaml.")] = "demo",
) -> None:
    """Draw dvc_plots/EXPERIMENT.pdf and .png: held-out bits/dim and SWD in these revisions and now."""
    try:
        chosen = load().experiment(experiment)
        with style.context(chosen.figures):
            write(draw(experiment, chosen, revisions), experiment)
    except UserError as error:
        sys.exit(f"fvae: {error}")


if __name__ == "__main__":
    typer.run(main)
