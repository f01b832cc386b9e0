"""Files that are whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from fvae.errors import UserError


def write(path: Path, save: Callable[[Path], Any]) -> None:
    """Write a file beside its target and rename it once it is on the disk: never half a file; one writer at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        save(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """A text file."""
    write(path, lambda partial: partial.write_text(text))


def write_json(path: Path, value: Any) -> None:
    """JSON that reads well and compares well."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def sha256(path: Path) -> str:
    """The hash of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def claim(folder: Path) -> FileLock:
    """Keep a folder to this process until the lock is dropped or the process ends, however it ends.

    Raises UserError where another process has it, such as one whose Snakemake was killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"{folder}: another process is at work there; wait until it has ended, or stop it") from error
    return lock


def read_json(path: Path, command: str) -> Any:
    """What a JSON file says. Raises UserError where it is missing, with the command that makes it."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; make it first: python -m fvae {command}") from error


def read_array(path: Path, command: str) -> np.ndarray:
    """An .npy file, memory-mapped. Raises UserError where it is missing, with the command that makes it."""
    try:
        return np.load(path, mmap_mode="r")
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; make it first: python -m fvae {command}") from error
