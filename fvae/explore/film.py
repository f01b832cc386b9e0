"""The tab Training: the sheets of samples that a training left in its live log, and its validations."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import IMAGES, EventAccumulator

from fvae.errors import UserError
from fvae.explore.pictures import grid
from fvae.files import read_table, without_nan
from fvae.layout import Run
from fvae.training.live import FOLDER, ROW

SHEETS = "samples"  # the tag in the live log
MEASURED = ("bpd", "swd", "portrait_distance", "seconds")  # columns of history.csv that the page shows
GAP = 2  # around each image of a sheet
WIDTH = 175  # pixels of the part of a sheet that is shown, so that three fit side by side at twice their size
ALL_IMAGES = {IMAGES: 0}  # 0 is no limit; by default TensorBoard keeps only some


class Sheet(NamedTuple):
    """A sheet of samples after so many steps, as a PNG file."""

    step: int
    png: bytes


def has_film(folder: Path) -> bool:
    """Whether a run has a live log; a training that is not finished has one too."""
    return any((folder / FOLDER).glob("events.*"))


def film(run: Run, batch_size: int) -> list[dict[str, Any]]:
    """Steps, images seen and measurements of each sheet of a run, in order, as JSON.

    Raises UserError where there is no live log.
    """
    rows = history(run)
    found = []
    for sheet in sheets(run):
        images = sheet.step * batch_size
        found.append({"step": sheet.step, "images": images, **rows.get(images, {})})
    return found


def frame(run: Run, step: int, size: int) -> np.ndarray:
    """The first images, of that size, of the sheet after so many steps: uint8 (H, W, 4).

    Raises UserError where there is no such sheet.
    """
    for sheet in sheets(run):
        if sheet.step == step:
            images = cut(np.asarray(Image.open(io.BytesIO(sheet.png)).convert("RGB")), size)
            columns = min(ROW, fitting(size))
            return grid(images[: min(columns, len(images) // columns) * columns], columns)
    raise UserError(f"step: {run.folder} has no sheet of step {step}")


def fitting(size: int) -> int:
    """How many images of a size fit into WIDTH; where that is fewer than four, into twice WIDTH, and two at least."""
    fit = WIDTH // (size + GAP)
    return fit if fit >= 4 else max(2, 2 * WIDTH // (size + GAP))


def cut(sheet: np.ndarray, size: int) -> np.ndarray:
    """The images (N, 3, size, size) of a sheet (H, W, 3) by torchvision's make_grid, with a gap around each."""
    cell = size + GAP
    rows, columns = ((side - GAP) // cell for side in sheet.shape[:2])
    cells = sheet[GAP : GAP + rows * cell, GAP : GAP + columns * cell].reshape(rows, cell, columns, cell, 3)
    return cells[:, :size, :, :size].transpose(0, 2, 4, 1, 3).reshape(-1, 3, size, size)


def sheets(run: Run) -> tuple[Sheet, ...]:
    """All sheets of a run. Raises UserError where there are none."""
    folder = run.folder / FOLDER
    events = [(path.name, path.stat().st_size) for path in sorted(folder.glob("events.*"))]
    found = read(folder, tuple(events))
    if not found:
        raise UserError(f"{folder}: there is no live log with sheets of samples; a training writes it")
    return found


@lru_cache(maxsize=16)
def read(folder: Path, events: tuple[tuple[str, int], ...]) -> tuple[Sheet, ...]:
    """The sheets of a log; `events` are its files and their sizes, so that a log that has grown is read again."""
    if not events:
        return ()
    log = EventAccumulator(str(folder), size_guidance=ALL_IMAGES)
    log.Reload()
    if SHEETS not in log.Tags()["images"]:
        return ()
    return tuple(Sheet(image.step, image.encoded_image_string) for image in log.Images(SHEETS))


def history(run: Run) -> dict[int, dict[str, float]]:
    """What was measured at each validation, by the images seen until then; empty before the first one."""
    if not run.history.exists():
        return {}
    table = read_table(run.history, run.command("train"), numbers=("images", "bpd"))
    columns = [name for name in MEASURED if name in table]
    rows = table[columns].astype(float).to_dict("records")
    return dict(zip(table["images"].astype(int), map(without_nan, rows), strict=True))
