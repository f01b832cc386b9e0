"""Every benchmark but that of a GPU, one after the other; about 50 minutes on two cores, with nothing beside it.

    uv pip install --target /tmp/peer --no-deps normflows==1.7.3
    PYTHONPATH=.:/tmp/peer python benchmarks/all.py [--images ZIP] [ARCHIVE…]

The paper's models are trained on the images of the zip, and `prepare` is timed with the archives. The records are
copied to benchmarks/results when all have ended, since a record says whether the working copy had changed when it was
made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import records
import typer

HERE = Path(__file__).parent


def main(
    archives: Annotated[list[Path] | None, typer.Argument()] = None,
    images: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Run them in turn; stop at the first that fails."""
    benchmarks: dict[str, list[str]] = {
        "run": ["all", *(["--images", str(images)] if images else [])],
        "sampling": [],
        "fid": ["--images", "50"],
        "prepare": [str(archive) for archive in archives or []],
        "planning": [],
        "growth": [],
        "pipeline": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {records.FOLDER: folder}
        for name, arguments in benchmarks.items():
            print(f"\n{name}", flush=True)
            subprocess.run([sys.executable, str(HERE / f"{name}.py"), *arguments], env=environment, check=True)
        for record in Path(folder).iterdir():
            shutil.copy(record, HERE / "results")


if __name__ == "__main__":
    typer.run(main)
