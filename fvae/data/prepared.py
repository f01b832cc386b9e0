"""A prepared set as files: one uint8 array, an index of where each row came from, and a manifest of what was done."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL

import fvae
from fvae.data.splits import SPLITS
from fvae.files import sha256

CHUNK = 256  # rows read or written at once


@dataclass
class Entry:
    """A row of the index."""

    name: str
    sha256: str
    split: str


def write(
    out: Path,
    entries: list[Entry],
    rejected: list[tuple[str, str]],
    origin: dict[str, Any],
    size: int,
    fill: Callable[[np.ndarray], None],
) -> None:
    """Write a set to a folder, whole or not at all; `fill` gives the array (N, 3, size, size) its images."""
    with _folder_in_place(out) as partial:
        array = np.lib.format.open_memmap(partial / "images.npy", "w+", np.uint8, (len(entries), 3, size, size))
        _reserve(partial / "images.npy")
        fill(array)
        array.flush()
        index = pd.DataFrame(entries).rename_axis("row")
        index.to_csv(partial / "index.csv")
        pd.DataFrame(rejected, columns=["name", "reason"]).to_csv(partial / "rejected.csv", index=False)
        counts = {split: int((index["split"] == split).sum()) for split in SPLITS}
        mean, std = moments(array[: counts["train"]])
        manifest = {
            **origin,
            "splits": counts,
            "rejected": len(rejected),
            "mean": mean,
            "std": std,
            "images_sha256": sha256(partial / "images.npy"),
            "version": fvae.__version__,
            "pillow": PIL.__version__,
        }
        (partial / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _reserve(path: Path) -> None:
    """Have room on the disk for all of a file, which writing to its memory map could not say is missing."""
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # by this file system
                raise


def moments(array: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel's 8-bit values."""
    counts = np.zeros((3, 256), np.int64)
    for start in range(0, len(array), CHUNK):
        for channel in range(3):
            counts[channel] += np.bincount(array[start : start + CHUNK, channel].ravel(), minlength=256)
    values, total = np.arange(256), counts.sum(1)
    mean = counts @ values / total
    return mean.round(4).tolist(), np.sqrt(counts @ values**2 / total - mean**2).round(4).tolist()


def beside(out: Path, what: str) -> Path:
    """A hidden folder beside the one of a set."""
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
    """The files of a finished set to their place, the manifest last."""
    out.mkdir(exist_ok=True)
    (out / "manifest.json").unlink(missing_ok=True)
    for file in sorted(made.iterdir(), key=lambda path: path.name == "manifest.json"):
        os.replace(file, out / file.name)
    made.rmdir()
