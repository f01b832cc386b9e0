"""A prepared set as files: one uint8 array, an index of where each row came from, and a manifest of how it was made."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL

from fvae.data.splits import SPLITS
from fvae.files import sha256
from fvae.version import __version__

LIBRARIES = {"pillow": PIL.__version__, "torch": version("torch").partition("+")[0]}  # that decode and resize
CHUNK = 256  # rows read or written at once


@dataclass
class Entry:
    """A row of index.csv."""

    name: str
    sha256: str
    split: str


def write(
    out: Path,
    entries: list[Entry],
    rejected: list[tuple[str, str]],
    origin: dict[str, Any],
    size: int,
    chunks: Iterable[np.ndarray],
) -> None:
    """Write a whole set or nothing; the chunks are its images in order, (n, 3, size, size) uint8."""
    counts = {split: sum(entry.split == split for entry in entries) for split in SPLITS}
    with _folder_in_place(out) as partial:
        levels = _images(partial / "images.npy", (len(entries), 3, size, size), chunks, counts["train"])
        pd.DataFrame(map(vars, entries)).rename_axis("row").to_csv(partial / "index.csv")
        pd.DataFrame(rejected, columns=["name", "reason"]).to_csv(partial / "rejected.csv", index=False)
        mean, std = moments(levels)
        manifest = {
            **origin,
            "splits": counts,
            "rejected": len(rejected),
            "mean": mean,
            "std": std,
            "images_sha256": sha256(partial / "images.npy"),
            "version": __version__,
            **LIBRARIES,
        }
        (partial / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _images(path: Path, shape: tuple[int, int, int, int], chunks: Iterable[np.ndarray], train: int) -> np.ndarray:
    """Write the array; count each 8-bit value in each channel of its first `train` images: (3, 256)."""
    levels, done = np.zeros((3, 256), np.int64), 0
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for chunk in chunks:
            file.write(np.ascontiguousarray(chunk).data)
            for channel in range(3):
                levels[channel] += np.bincount(chunk[: max(0, train - done), channel].ravel(), minlength=256)
            done += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return levels


def moments(levels: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, from the counts of its values: (3, 256)."""
    values, total = np.arange(256), levels.sum(1)
    mean = levels @ values / total
    return mean.round(4).tolist(), np.sqrt(levels @ values**2 / total - mean**2).round(4).tolist()


def beside(out: Path, what: str) -> Path:
    """The path of a hidden folder beside the folder of a set."""
    return out.with_name(f".{out.name}.{what}")


@contextmanager
def _folder_in_place(out: Path) -> Iterator[Path]:
    partial = beside(out, "part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        move(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def move(made: Path, out: Path) -> None:
    """Move the files of a finished set to their folder, the manifest last."""
    out.mkdir(exist_ok=True)
    (out / "manifest.json").unlink(missing_ok=True)
    for file in sorted(made.iterdir(), key=lambda path: path.name == "manifest.json"):
        os.replace(file, out / file.name)
    made.rmdir()
