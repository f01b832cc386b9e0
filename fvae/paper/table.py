"""A table: numbers for machines, the same numbers as printed for people."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fvae import layout
from fvae.files import write_text


@dataclass
class Table:
    """The numbers (CSV), the cells as printed (Markdown, LaTeX), and what stands below them."""

    numbers: pd.DataFrame
    printed: pd.DataFrame
    notes: list[str] = field(default_factory=list)


def mean_and_spread(values: list[float], digits: int) -> str:
    """The mean, ± the standard deviation over seeds where there are several."""
    spread = f" ± {np.std(values, ddof=1):,.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):,.{digits}f}{spread}"


def over_seeds(seeds: int) -> str:
    """What `mean_and_spread` printed."""
    return f"{seeds} seeds: mean ± standard deviation." if seeds > 1 else "1 seed."


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
    """The cells in LaTeX's own signs."""
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
