"""The state of a pass over a source on the disk, from which an interrupted pass continues."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from fvae.data.rejections import TooSmall

BUFFER = 2**20  # bytes
FLUSH_SECONDS = 5.0  # between two writes of everything to the disk


@dataclass
class Outcome:
    """What a pass decided about a picture: one line of the journal."""

    name: str
    sha256: str
    index: int | None
    part: str | None
    reason: str | None  # why it is rejected at any size
    edge: int | None = None  # pixels of its crop's side, where that is smaller than one of the sizes

    def rejection(self, size: int) -> str | None:
        """Why it is rejected at a size; None where it is kept."""
        too_small = self.edge is not None and self.edge < size
        return self.reason or (str(TooSmall(self.edge, size)) if too_small else None)  # type: ignore[arg-type]


class Journal:
    """Outcomes and rows of pixels in a folder, at several sizes.

    A journal of another fingerprint, which stands for source, settings and code, or of other sizes is begun anew.
    """

    def __init__(self, folder: Path, sizes: tuple[int, ...], fingerprint: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        fingerprint = f"{fingerprint} at {sizes}"
        self.sizes, self.text = sizes, folder / "journal.jsonl"
        self.raw = {size: folder / f"rows-{size}.raw" for size in sizes}
        self.outcomes = self._recovered(fingerprint)
        self.kept = sum(outcome.reason is None for outcome in self.outcomes)
        for size, path in self.raw.items():
            with path.open("ab") as rows:
                rows.truncate(self.kept * 3 * size * size)
        lines = [fingerprint, *(vars(outcome) for outcome in self.outcomes)]
        self.text.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def _recovered(self, fingerprint: str) -> list[Outcome]:
        """The outcomes of an interrupted pass, up to the last one whose pixels are on the disk."""
        try:
            first, *rest = self.text.read_text().splitlines(keepends=True)
            if json.loads(first) != fingerprint:
                return []
            left = min(path.stat().st_size // (3 * size * size) for size, path in self.raw.items())
        except (OSError, ValueError):
            return []
        outcomes: list[Outcome] = []
        for line in rest:
            try:
                outcome = Outcome(**json.loads(line)) if line.endswith("\n") else None
            except (ValueError, TypeError):  # what follows a damaged line is read again
                break
            if outcome is None or (outcome.reason is None and not left):
                break
            left -= outcome.reason is None
            outcomes.append(outcome)
        return outcomes

    def __enter__(self) -> Self:
        self.files = [path.open("ab", buffering=BUFFER) for path in self.raw.values()]
        self.log = self.text.open("a")
        self.unwritten: list[Outcome] = []
        self.flushed = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind:  # the journal of a pass that succeeded is not needed
            self.flush()
        self.log.close()
        for file in self.files:
            file.close()

    def add(self, outcome: Outcome, pixels: list[np.ndarray]) -> None:
        """Add a picture, with its pixels at every size unless it is rejected."""
        for file, each in zip(self.files, pixels, strict=False):
            file.write(each.tobytes())
        self.kept += outcome.reason is None
        self.outcomes.append(outcome)
        self.unwritten.append(outcome)
        if time.monotonic() - self.flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write everything to the disk: pixels first, so that no outcome is there without its pixels."""
        for file in self.files:
            file.flush()
            os.fsync(file.fileno())
        self.log.write("".join(json.dumps(vars(outcome)) + "\n" for outcome in self.unwritten))
        self.log.flush()
        os.fsync(self.log.fileno())
        self.unwritten.clear()
        self.flushed = time.monotonic()

    def rows(self, size: int) -> np.ndarray:
        """The pixels at a size of the pictures that have no `reason`, memory-mapped: (N, 3, size, size) uint8."""
        for file in self.files:
            file.flush()
        shape = (self.kept, 3, size, size)
        return np.memmap(self.raw[size], np.uint8, "r", shape=shape) if self.kept else np.empty(shape, np.uint8)
