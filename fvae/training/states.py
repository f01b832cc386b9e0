"""The files from which an interrupted training continues."""

from __future__ import annotations

import hashlib
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fvae.files import write

DIGEST = 32  # bytes of a SHA-256
FORMAT = 2  # of a state's content; a state of another format is not read


class States:
    """Two states of a training in `folder`: the newest one, and the one of the last validation, or of the start.

    An interrupted training continues from the newest state, or from the other where the newest is damaged. A training
    that diverges goes back to the validated state, so that it does not depend on when the newest was saved.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.newest, self.validated = folder / "state.pt", folder / "state.validated.pt"
        self.fingerprint = fingerprint

    def save(self, state: dict[str, Any], *, validated: bool) -> None:
        """Write the newest state; where it is `validated`, write it as the validated state first."""
        content = {"format": FORMAT, "fingerprint": self.fingerprint, **state}
        for path in (self.validated, self.newest) if validated else (self.newest,):
            write(path, partial(_write, content))

    def load(self) -> dict[str, Any] | None:
        """The newest undamaged state that has this fingerprint, or None."""
        return self._read(self.newest) or self._read(self.validated)

    def load_validated(self) -> dict[str, Any] | None:
        """The validated state, or None where it is damaged or missing."""
        return self._read(self.validated)

    def remove(self) -> None:
        """Delete both files."""
        self.newest.unlink(missing_ok=True)
        self.validated.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            with path.open("rb") as file:
                if file.read(DIGEST) != hashlib.file_digest(file, "sha256").digest():
                    return None
                file.seek(DIGEST)
                state: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
        except (OSError, RuntimeError, pickle.UnpicklingError):  # the last two: another version of PyTorch wrote it
            return None
        same = state.get("format") == FORMAT and state["fingerprint"] == self.fingerprint
        return state if same else None


def _write(state: dict[str, Any], path: Path) -> None:
    """Write a state after the SHA-256 of its bytes."""
    with path.open("w+b") as file:
        file.write(bytes(DIGEST))
        torch.save(state, file)
        file.seek(DIGEST)
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        file.write(digest)
