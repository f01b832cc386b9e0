"""The files from which an interrupted training continues."""

from __future__ import annotations

import hashlib
import os
import pickle
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch

from fvae.files import write
from fvae.training.versions import difference, versions

DIGEST = 32  # bytes of a SHA-256
FORMAT = 4  # of a state's content; a state of another format is not read

State = dict[str, Any]


class Unusable(Exception):
    """A state that cannot be continued, and why."""


class Found(NamedTuple):
    """What there is to continue from."""

    state: State | None
    remark: str | None  # what a user should know about it, without the folder's name
    other_versions: bool  # whether the training starts anew since other code or libraries made the state


class States:
    """Two states of a training in `folder`: the newest one, and the one of the last validation, or of the start.

    An interrupted training continues from the newest state, or from the other where the newest is damaged. A training
    that diverges goes back to the validated state, so that it does not depend on when the newest was saved.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.newest, self.validated = folder / "state.pt", folder / "state.validated.pt"
        self.fingerprint = fingerprint

    def save(self, state: State, *, validated: bool) -> None:
        """Write the newest state; where it is `validated`, write it as the validated state first."""
        content = {"format": FORMAT, "fingerprint": self.fingerprint, "versions": versions(), **state}
        for path in (self.validated, self.newest) if validated else (self.newest,):
            write(path, partial(_write, content))

    def find(self, *, across_versions: bool = False) -> Found:
        """The newest undamaged state that has this fingerprint.

        It must have been made by the code and the libraries that are here, or the training starts anew, unless it may
        continue `across_versions`.
        """
        problems: list[str] = []
        other_versions = False
        for path in (self.newest, self.validated):
            try:
                state = self._read(path)
                if state and (differs := difference(state["versions"], versions())):
                    problems.append(f"{path.name} was made by {differs}")
                    if not across_versions:
                        other_versions = True
                        continue
            except Unusable as error:
                problems.append(f"{path.name} {error}")
                continue
            if state:
                remark = f"{'; '.join(problems)}; the training continues from {path.name}" if problems else None
                return Found(state, remark, other_versions=False)
        remark = f"{'; '.join(problems)}; the training starts anew" if problems else None
        return Found(None, remark, other_versions)

    def load_validated(self) -> State | None:
        """The validated state, or None where it is damaged or missing."""
        try:
            return self._read(self.validated)
        except Unusable:
            return None

    def set_aside(self) -> Path:
        """Move both files to a new folder, and return it."""
        folder = next(path for n in count(1) if not (path := self.folder / f"state.kept-{n}").exists())
        folder.mkdir()
        for path in (self.newest, self.validated):
            if path.exists():
                os.replace(path, folder / path.name)
        return folder

    def remove(self) -> None:
        """Delete both files."""
        self.newest.unlink(missing_ok=True)
        self.validated.unlink(missing_ok=True)

    def _read(self, path: Path) -> State | None:
        """A state of this training, or None where there is no file. Raises Unusable."""
        try:
            with path.open("rb") as file:
                if file.read(DIGEST) != hashlib.file_digest(file, "sha256").digest():
                    raise Unusable("is damaged")
                file.seek(DIGEST)
                state: State = torch.load(file, weights_only=True, map_location="cpu")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unusable(f"cannot be read ({error.strerror})") from error
        except (RuntimeError, pickle.UnpicklingError) as error:
            raise Unusable(f"cannot be read by PyTorch {torch.__version__}") from error
        if state.get("format") != FORMAT:
            raise Unusable("has the format of an earlier version of this program")
        if state["fingerprint"] != self.fingerprint:
            raise Unusable("is of other parameters, another seed or other images")
        return state


def _write(state: dict[str, Any], path: Path) -> None:
    """Write a state after the SHA-256 of its bytes."""
    with path.open("w+b") as file:
        file.write(bytes(DIGEST))
        torch.save(state, file)
        file.seek(DIGEST)
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        file.write(digest)
