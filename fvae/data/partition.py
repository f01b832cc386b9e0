"""CelebA's published splits: the list of its images that lies in their folder or beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from fvae.errors import UserError

LISTS = ("list_eval_partition.txt", "list_eval_partition.csv")  # the authors', and Kaggle's
HEADER = ["image_id", "partition"]  # of Kaggle's
PARTS = {"0": "train", "1": "validation", "2": "test"}


def find_list(source: Path) -> Path | None:
    """The list in the folder `source`, or else beside `source`. Raises OSError."""
    return next((file for file in places(source) if file.is_file()), None)


def places(source: Path) -> list[Path]:
    """Where a list is looked for, in this order."""
    folders = [source, source.parent] if source.is_dir() else [source.parent]
    return [folder / name for folder in folders for name in LISTS]


def read_list(file: str, content: bytes) -> dict[str, str]:
    """The splits by the name of the image's file.

    Raises UserError with the line that is malformed, and UnicodeDecodeError where the content is not UTF-8.
    """
    return dict(_splits(file, content.decode("utf-8").removeprefix("\ufeff").splitlines()))


def _splits(file: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    rows = csv.reader(lines) if file.endswith(".csv") else (line.split() for line in lines)
    for number, row in enumerate(rows, 1):
        fields = [field.strip() for field in row]
        if not any(fields) or (number == 1 and fields == HEADER):
            continue
        if len(fields) != 2 or not fields[0] or fields[1] not in PARTS:
            raise UserError(f"{file}: line {number} is not a file's name and 0, 1 or 2")
        yield fields[0], PARTS[fields[1]]
