"""A table in two forms: its numbers as CSV, and the same numbers as printed in Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fvae import layout
from fvae.files import write_text
from fvae.params import Experiment


@dataclass
class Table:
    """The numbers (CSV), the cells as printed (Markdown, LaTeX), and what stands below them."""

    numbers: pd.DataFrame
    printed: pd.DataFrame
    notes: list[str] = field(default_factory=list)


def mean_and_spread(
    values: Sequence[float | None], digits: int, factor: float = 1, *, of_one: float | None = None
) -> str:
    """The mean of values × factor, ± the standard deviation over seeds where there are several.

    With one seed ± is followed by `of_one` × factor, such as the standard deviation over draws of samples, if there is
    one. n/a where one of the seeds has no number.
    """
    known = [factor * value for value in values if value is not None]
    if len(known) < len(values):
        return "n/a"
    one = None if of_one is None else factor * of_one
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else one
    return f"{np.mean(known):,.{digits}f}" + ("" if spread is None else f" ± {spread:,.{digits}f}")


def held_out(experiment: Experiment) -> list[str]:
    """A sentence that no number is of unseen images, where none are held out from training; else nothing."""
    if experiment.training.hold_out:
        return []
    return [
        "The models were trained on all images (training.hold_out: false). The images that are called test images here "
        "are training images too, so that no number speaks of unseen images."
    ]


def over_seeds(seeds: int) -> str:
    """The note that explains what `mean_and_spread` prints."""
    return f"{seeds} seeds: mean ± standard deviation." if seeds > 1 else "1 seed."


def over_draws(seeds: int, draws: int) -> str:
    """The note that explains what `mean_and_spread` prints of numbers that are measured of several draws of samples."""
    each = f"the mean over {draws} draws of samples from the same weights" if draws > 1 else "of one draw of samples"
    if seeds > 1:
        return f"{seeds} seeds: mean ± standard deviation over seeds. Each seed's number of samples is {each}."
    error = "; ± the standard deviation over draws, which says nothing about other trainings" if draws > 1 else ""
    return f"1 seed. Each number of samples is {each}{error}."


def over_subsets(subsets: int) -> str:
    """What ± means in the row of real images."""
    return f"± the standard deviation over {subsets} random subsets" if subsets > 1 else "one subset, so without ±"


def save(table: Table, experiment: str, name: str) -> None:
    """Write results/EXPERIMENT/tables/NAME.csv, .md and .tex."""
    notes = "".join(f"\n{note}\n" for note in table.notes)
    latex_notes = "".join(f"% {note}\n" for note in table.notes)
    texts = {
        "csv": table.numbers.to_csv(index=False),
        "md": table.printed.to_markdown(index=False, disable_numparse=True) + "\n" + notes,
        "tex": escape(table.printed).to_latex(index=False, escape=False) + latex_notes,
    }
    for suffix, text in texts.items():
        write_text(layout.table(experiment, name, suffix), text)


def escape(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with signs replaced by LaTeX commands."""
    signs = {
        "%": r"\%",
        "≤": r"$\leq$",
        "±": r"$\pm$",
        "×": r"$\times$",
        "↓": r"$\downarrow$",
        "³": "$^3$",
        "²": "$^2$",
        "∞": r"$\infty$",
        "σ": r"$\sigma$",
        "↑": r"$\uparrow$",
    }

    def sign(text: str) -> str:
        for plain, latex in signs.items():
            text = text.replace(plain, latex)
        return text

    return cells.map(sign).rename(columns=sign)
