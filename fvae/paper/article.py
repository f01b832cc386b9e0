"""Tables, figures and claims in one PDF, set by Typst from article.typ."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from fvae import layout
from fvae.errors import UserError
from fvae.files import read_json, write, write_json
from fvae.paper import FIGURES, TABLES, runs
from fvae.params import Experiment
from fvae.provenance import provenance

TEMPLATE = Path(__file__).with_name("article.typ")


def make(experiment_name: str, experiment: Experiment) -> None:
    """Write paper_figures/EXPERIMENT/paper.pdf. Raises UserError where Typst or one of the parts is missing."""
    try:
        import typst
    except ImportError as error:
        raise UserError("the package typst, which sets paper.pdf, is missing: pip install typst") from error

    content = layout.figure(experiment_name, "paper", "json")
    made_of = provenance(experiment_name, experiment, runs("all", experiment_name, experiment))
    write_json(content, parts(experiment_name) | {"provenance": json.dumps(made_of)})
    fonts = Path(import_module("matplotlib").get_data_path(), "fonts", "ttf")
    try:
        pdf = typst.compile(  # type: ignore[misc]
            TEMPLATE.read_bytes(),
            root=Path.cwd(),
            font_paths=[fonts],
            ignore_system_fonts=True,
            sys_inputs={"content": "/" + content.as_posix()},
        )
    except typst.TypstError as error:
        raise UserError(f"{layout.figure(experiment_name, 'paper', 'pdf')}: Typst: {error}") from error
    finally:
        content.unlink()
    write(layout.figure(experiment_name, "paper", "pdf"), lambda partial: partial.write_bytes(pdf))


def parts(experiment_name: str) -> dict[str, Any]:
    """What the template shows: tables as rows of cells, figures as paths, each with its caption, and the claims."""
    tables = [{"caption": caption(name), **markdown(layout.table(experiment_name, name, "md"))} for name in TABLES]
    figures = [
        {"caption": caption(name), "path": "/" + layout.figure(experiment_name, name, "pdf").as_posix()}
        for name in FIGURES
    ]
    claims = read_json(layout.claims(experiment_name, "json"), "claims")
    return {"experiment": experiment_name, "tables": tables, "figures": figures, "claims": claims}


def caption(name: str) -> str:
    """What a figure's or a table's file says that it is."""
    text = (import_module(f"fvae.paper.{name}").__doc__ or "").strip()
    named = re.fullmatch(r"(F\d): (.)(.*)\.", text)
    return f"{named[2].upper()}{named[3]} ({named[1]} of the paper)." if named else text


def markdown(path: Path) -> dict[str, Any]:
    """The cells and the notes of a table as it was written. Raises UserError where it is missing."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; make it first: python -m fvae table") from error
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    notes = [line for line in lines if line and not line.startswith("|")]
    return {"rows": [rows[0], *rows[2:]], "notes": notes}
