"""A prepared set: one uint8 array, an index of where each row came from, and a manifest of what was done."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fvae
from fvae.data import images, portraits, sources
from fvae.errors import UserError
from fvae.progress import progress

SPLITS = ("train", "validation", "test")
CHUNK = 256  # rows read or drawn at once
AHEAD = 64  # images decoded ahead of the one that is stored


@dataclass
class Entry:
    """A row of the index."""

    name: str
    sha256: str
    split: str


def prepare_portraits(out: Path, *, size: int, train: int, validation: int, test: int, seed: int) -> None:
    """Draw the embedded data set: portraits 0, 1, …, first those of train, then validation, then test."""
    splits = np.repeat(SPLITS, [train, validation, test])
    entries: list[Entry] = []

    def fill(array: np.ndarray) -> None:
        with progress(total=len(splits), desc="drawing portraits", unit="image") as bar:
            for start in range(0, len(splits), CHUNK):
                indices = np.arange(start, min(start + CHUNK, len(splits)))
                drawn = portraits.draw(indices, size, seed)
                array[indices] = drawn
                for index, image in zip(indices, drawn, strict=True):
                    entries.append(Entry(f"portrait-{index}", sha256(image.tobytes()), splits[index]))
                bar.update(len(indices))

    settings = {"size": size, "train": train, "validation": validation, "test": test, "seed": seed}
    with folder_in_place(out) as partial:
        write_array(partial / "images.npy", len(splits), size, fill)
        finish(partial, entries, [], {"kind": "portraits", **settings})


def prepare_images(
    source: Path,
    out: Path,
    *,
    size: int,
    crop: images.Crop,
    filter: str,
    validation: float,
    test: float,
    limit: int | None,
    max_rejected: float,
) -> None:
    """Crop and resize the images of a folder or an archive.

    An image's split is decided by a hash of its bytes, so that it stays when files are added, and duplicates never
    stand on both sides. Raises UserError where there is nothing to read, a split is empty, or too much is rejected.
    """
    settings = {
        "size": size,
        "crop": list(crop) if isinstance(crop, tuple) else crop,
        "filter": filter,
        "validation": validation,
        "test": test,
        "limit": limit,
        "max_rejected": max_rejected,
    }
    kept: list[Entry] = []
    rejected: list[tuple[str, str]] = []
    with folder_in_place(out) as partial:
        rows = partial / "rows.raw"
        with rows.open("wb") as file:
            for name, digest, image in decoded(source, limit, size=size, crop=crop, filter=filter):
                if isinstance(image, images.Rejected):
                    rejected.append((name, str(image)))
                else:
                    kept.append(Entry(name, digest, split_of(digest, validation, test)))
                    file.write(image.tobytes())
        refuse_too_many(source, rejected, len(kept), max_rejected)
        order, duplicates = arrange(kept)
        entries = [kept[row] for row in order]
        for split in SPLITS:
            if not any(entry.split == split for entry in entries):
                raise UserError(f"{source}: no image falls in the {split} split; raise data.{split} or add images")

        def fill(array: np.ndarray) -> None:
            raw = np.memmap(rows, np.uint8, "r", shape=(len(kept), 3, size, size))
            for start in range(0, len(order), CHUNK):
                array[start : start + CHUNK] = raw[order[start : start + CHUNK]]

        write_array(partial / "images.npy", len(order), size, fill)
        rows.unlink()
        contents = sorted((entry.name, entry.sha256) for entry in kept)
        origin = {"kind": "images", "source": source.name, "source_sha256": sha256(json.dumps(contents).encode())}
        finish(partial, entries, sorted(rejected + duplicates), origin | settings)


def decoded(source: Path, limit: int | None, **how: Any) -> Iterator[tuple[str, str, np.ndarray | images.Rejected]]:
    """(name, hash, image or why not) of every image in the source's order, decoded on all cores a little ahead."""

    def one(name: str, data: bytes) -> tuple[str, str, np.ndarray | images.Rejected]:
        try:
            return name, sha256(data), images.decode(data, **how)
        except images.Rejected as rejection:
            return name, sha256(data), rejection

    queue: deque[Future[tuple[str, str, np.ndarray | images.Rejected]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes and resizes without Python's lock
        members = progress(sources.read(source), desc=f"preparing {source.name}", unit="image")
        for count, (name, data) in enumerate(members):
            if count == limit:
                break
            queue.append(pool.submit(one, name, data))
            if len(queue) > AHEAD:
                yield queue.popleft().result()
        while queue:
            yield queue.popleft().result()


def split_of(digest: str, validation: float, test: float) -> str:
    """The split of a content hash: its first 64 bits as a number in [0, 1)."""
    place = int(digest[:16], 16) / 2**64
    return "test" if place < test else "validation" if place < test + validation else "train"


def arrange(kept: list[Entry]) -> tuple[list[int], list[tuple[str, str]]]:
    """The rows in the order of splits and names, without byte duplicates; and the duplicates as rejections."""
    first: dict[str, str] = {}
    order, duplicates = [], []
    for row in sorted(range(len(kept)), key=lambda row: (SPLITS.index(kept[row].split), kept[row].name)):
        entry = kept[row]
        if entry.sha256 in first:
            duplicates.append((entry.name, f"duplicate of {first[entry.sha256]}"))
        else:
            first[entry.sha256] = entry.name
            order.append(row)
    return order, duplicates


def refuse_too_many(source: Path, rejected: list[tuple[str, str]], kept: int, allowed: float) -> None:
    """Stop where more than the allowed share of images cannot be used."""
    share = len(rejected) / (len(rejected) + kept)
    if share > allowed:
        examples = "; ".join(f"{name}: {reason}" for name, reason in rejected[:3])
        raise UserError(
            f"{source}: {len(rejected)} of {len(rejected) + kept} images rejected ({share:.1%}, allowed are "
            f"{allowed:.1%}: data.max_rejected): {examples}"
        )


def write_array(path: Path, rows: int, size: int, fill: Callable[[np.ndarray], None]) -> None:
    """An .npy file of uint8 images, filled piece by piece."""
    array = np.lib.format.open_memmap(path, "w+", np.uint8, (rows, 3, size, size))
    fill(array)
    array.flush()


def finish(partial: Path, entries: list[Entry], rejected: list[tuple[str, str]], origin: dict[str, Any]) -> None:
    """The index, the rejections and the manifest beside a finished array."""
    index = pd.DataFrame(entries).rename_axis("row")
    index.to_csv(partial / "index.csv")
    pd.DataFrame(rejected, columns=["name", "reason"]).to_csv(partial / "rejected.csv", index=False)
    counts = {split: int((index["split"] == split).sum()) for split in SPLITS}
    array = np.load(partial / "images.npy", mmap_mode="r")
    mean, std = moments(array[: counts["train"]])
    with (partial / "images.npy").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = {
        **origin,
        "splits": counts,
        "rejected": len(rejected),
        "mean": mean,
        "std": std,
        "images_sha256": digest,
        "version": fvae.__version__,
    }
    (partial / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def moments(array: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel's 8-bit values."""
    counts = np.zeros((3, 256), np.int64)
    for start in range(0, len(array), CHUNK):
        for channel in range(3):
            counts[channel] += np.bincount(array[start : start + CHUNK, channel].ravel(), minlength=256)
    values, total = np.arange(256), counts.sum(1)
    mean = counts @ values / total
    return mean.round(4).tolist(), np.sqrt(counts @ values**2 / total - mean**2).round(4).tolist()


@contextmanager
def folder_in_place(out: Path) -> Iterator[Path]:
    """A folder beside `out` to write in; its files move to `out` at the end, the manifest last."""
    partial = out.with_name(f".{out.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        out.mkdir(exist_ok=True)
        (out / "manifest.json").unlink(missing_ok=True)
        for file in sorted(partial.iterdir(), key=lambda path: path.name == "manifest.json"):
            os.replace(file, out / file.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):
            out.parent.rmdir()  # where nothing came of it, not even an empty folder is left


def sha256(data: bytes) -> str:
    """The hash of some bytes."""
    return hashlib.sha256(data).hexdigest()
