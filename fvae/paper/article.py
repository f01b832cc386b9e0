"""Tables, figures and claims in one PDF, set by Typst from article.typ."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from fvae import layout
from fvae.errors import UserError
from fvae.files import read_json, read_text, reading, write, write_json
from fvae.paper import TABLES, caption, figures, runs
from fvae.paper.claim import Claim
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
    write_json(content, parts(experiment_name, experiment) | {"provenance": json.dumps(made_of)})
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


def parts(experiment_name: str, experiment: Experiment) -> dict[str, Any]:
    """The content of the template: tables as rows of cells, figures as paths, each with its caption, and the claims."""
    tables = [{"caption": caption(name), **markdown(experiment_name, name)} for name in TABLES]
    pictures = [
        {"caption": caption(name), "path": "/" + layout.figure(experiment_name, name, "pdf").as_posix()}
        for name in figures(experiment)
    ]
    claims = read_json(layout.claims(experiment_name, "json"), f"claims --experiment {experiment_name}", list[Claim])
    return {
        "experiment": experiment_name,
        "tables": tables,
        "figures": pictures,
        "claims": [asdict(claim) for claim in claims],
    }


def markdown(experiment_name: str, table: str) -> dict[str, Any]:
    """The cells and the notes of a table as it was written. Raises UserError where it is missing or damaged."""
    path = layout.table(experiment_name, table, "md")
    command = f"table {table} --experiment {experiment_name}"
    lines = read_text(path, command).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    notes = [line for line in lines if line and not line.startswith("|")]
    with reading(path, command):
        heading, _, *cells = rows
        if any(len(row) != len(heading) for row in cells):
            raise ValueError("its rows differ in length")
    return {"rows": [heading, *cells], "notes": notes}
