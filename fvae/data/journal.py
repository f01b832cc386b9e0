"""How far a pass over a source has come: what became of each picture, and the pixels of those that are kept."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from fvae.data.images import TooSmall

BUFFER = 2**20  # bytes
SECONDS = 5.0  # between two moments at which all is on the disk


@dataclass
class Line:
    """What became of a picture."""

    name: str
    sha256: str
    index: int | None
    part: str | None
    reason: str | None  # why it is rejected at any size
    edge: int | None = None  # pixels of its crop's side, where that is smaller than one of the sizes

    def rejection(self, size: int) -> str | None:
        """Why it is rejected at a size."""
        return self.reason or (str(TooSmall(self.edge, size)) if self.edge is not None and self.edge < size else None)


class Journal:
    """Lines and rows of pixels in a folder, at several sizes; a pass that was killed goes on after the last line.

    A journal of other contents, settings or sizes is begun anew; the fingerprint tells of the first two.
    """

    def __init__(self, folder: Path, sizes: tuple[int, ...], fingerprint: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        fingerprint = f"{fingerprint} at {sizes}"
        self.sizes, self.text = sizes, folder / "journal.jsonl"
        self.raw = {size: folder / f"rows-{size}.raw" for size in sizes}
        self.lines = self._recovered(fingerprint)
        self.kept = sum(line.reason is None for line in self.lines)
        for size, path in self.raw.items():
            with path.open("ab") as rows:
                rows.truncate(self.kept * 3 * size * size)
        whole = [fingerprint, *(vars(line) for line in self.lines)]
        self.text.write_text("".join(json.dumps(line) + "\n" for line in whole))

    def _recovered(self, fingerprint: str) -> list[Line]:
        """The lines of a pass before this one, as far as their rows are there."""
        try:
            first, *rest = self.text.read_text().splitlines(keepends=True)
            if json.loads(first) != fingerprint:
                return []
            left = min(path.stat().st_size // (3 * size * size) for size, path in self.raw.items())
        except (OSError, ValueError):
            return []
        lines: list[Line] = []
        for text in rest:
            line = Line(**json.loads(text)) if text.endswith("\n") else None
            if line is None or (line.reason is None and not left):
                break
            left -= line.reason is None
            lines.append(line)
        return lines

    def __enter__(self) -> Self:
        self.files = [path.open("ab", buffering=BUFFER) for path in self.raw.values()]
        self.log = self.text.open("a")
        self.waiting: list[Line] = []
        self.flushed = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind:  # after a pass that went well nobody asks for its journal
            self.flush()
        self.log.close()
        for file in self.files:
            file.close()

    def add(self, line: Line, pixels: list[np.ndarray]) -> None:
        """One more picture, with its pixels at every size unless it is rejected."""
        for file, each in zip(self.files, pixels, strict=False):
            file.write(each.tobytes())
        self.kept += line.reason is None
        self.lines.append(line)
        self.waiting.append(line)
        if time.monotonic() - self.flushed > SECONDS:
            self.flush()

    def flush(self) -> None:
        """Bring all to the disk: pixels first, so that a line never stands without its row."""
        for file in self.files:
            file.flush()
            os.fsync(file.fileno())
        self.log.write("".join(json.dumps(vars(line)) + "\n" for line in self.waiting))
        self.log.flush()
        os.fsync(self.log.fileno())
        self.waiting.clear()
        self.flushed = time.monotonic()

    def rows(self, size: int) -> np.ndarray:
        """The pixels at a size of the pictures that have no `reason`, memory-mapped: (N, 3, size, size) uint8."""
        for file in self.files:
            file.flush()
        shape = (self.kept, 3, size, size)
        return np.memmap(self.raw[size], np.uint8, "r", shape=shape) if self.kept else np.empty(shape, np.uint8)
