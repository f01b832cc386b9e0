"""Small copies of an experiment's figures, for Git: `make record EXPERIMENT=study`.

Git holds the numbers, tables and verdicts of every experiment. It holds pictures only of the reference runs, with
rounded colours, since DVC holds the figures themselves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import typer
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fvae import layout
from fvae.errors import UserError
from fvae.paper import figures
from fvae.params import Experiment, Images, load

STEP = 8  # levels of red, green and blue are rounded to multiples of it: nobody sees it, and files are half as large
# They show photographs, or reconstructions of photographs: the licence of a set of faces may forbid to pass them on.
OF_PHOTOGRAPHS = ("data", "interpolation", "interpolation_four", "neighbours", "reconstructions")


def recorded(experiment: Experiment) -> list[str]:
    """The names of the figures that may be in Git."""
    left_out = OF_PHOTOGRAPHS if isinstance(experiment.data, Images) else ()
    if left_out and experiment.figures.real_images:
        left_out = (*left_out, "comparison")
    return [name for name in figures(experiment) if name not in left_out]


def copy_small(source: Path, target: Path) -> None:
    """Write a PNG again with rounded colours and the same provenance. Raises UserError where it cannot be read."""
    try:
        with Image.open(source) as image:
            levels = np.asarray(image.convert("RGB")).astype(int)
            provenance = PngInfo()
            provenance.add_itxt("Keywords", str(image.info.get("Keywords", "")))
    except OSError as error:
        raise UserError(f"{source}: cannot be read; make it first: snakemake --cores 1 {source}") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    rounded = np.minimum((levels + STEP // 2) // STEP * STEP, 255).astype(np.uint8)
    Image.fromarray(rounded).save(target, optimize=True, pnginfo=provenance)


def main(experiment_name: str) -> None:
    """Copy the figures of an experiment to paper_figures/reference."""
    experiment = load().experiment(experiment_name)
    for name in recorded(experiment):
        target = layout.recorded_figure(experiment_name, name)
        copy_small(layout.figure(experiment_name, name, "png"), target)
        print(f"{target}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        raise SystemExit(f"fvae: {error}") from None
