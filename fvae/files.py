"""Files that one command writes and another reads: written completely or not at all, and checked when they are read."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from fvae.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

DAMAGED = (  # what the readers below raise for a damaged file, or for one of another form
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    SyntaxError,
    TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def write(path: Path, save: Callable[[Path], Any]) -> None:
    """Write a file beside its target and rename it once it is on the disk, so that no reader ever sees half of it.

    One process at a time may write a path.
    """
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
    """Write a text file."""
    write(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON. NaN and infinities, which JSON does not have, become null."""
    write_text(path, json.dumps(without_nan(value), indent=2, allow_nan=False) + "\n")


def without_nan(value: Any) -> Any:
    """The same value with None in place of every float that is not finite."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an .npy file."""

    def save(partial: Path) -> None:
        with partial.open("wb") as file:  # np.save would add a suffix to a path
            np.save(file, array)

    write(path, save)


def write_arrays(path: Path, **arrays: Any) -> None:
    """Write several arrays, each under its name, to an .npz file."""

    def save(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez(file, **{name: np.array(array) for name, array in arrays.items()})  # type: ignore[arg-type]

    write(path, save)


def sha256(path: Path) -> str:
    """The hash of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock_folder(folder: Path) -> FileLock:
    """Keep other processes out of a folder until the lock is released or this process ends, however it ends.

    Raises UserError where another process has the lock, such as one whose Snakemake was killed, and where the file
    system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"{folder}: another process is at work there; wait until it has ended, or stop it") from error
    except OSError as error:
        raise UserError(f"{lock.lock_file}: the file system refuses locks ({error.strerror})") from error
    return lock


@contextmanager
def reading(path: Path, command: str) -> Iterator[None]:
    """Turn every error of reading a file into one line that names the file and the command that makes it.

    Raises UserError where the file is missing, cannot be opened, is damaged, or is not of the form that is expected.
    """
    again = f"make it again: python -m fvae {command}" if command else "delete it"
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; make it first: python -m fvae {command}") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {again}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = f"{place}: {first['msg']}" if place else first["msg"]
        raise UserError(f"{path}: not of the expected form ({reason}); {again}") from error
    except DAMAGED as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: damaged ({reason}); {again}") from error


def read_text(path: Path, command: str) -> str:
    """A text file. Raises UserError, as `reading` does, also where Git has left the marks of a conflict in it."""
    with reading(path, command):
        text = path.read_text(encoding="utf-8")
        if any(line.startswith("<<<<<<< ") for line in text.splitlines()):
            raise ValueError("Git's conflict markers are in it")
        if not text.strip():
            raise ValueError("it is empty")
    return text


def read_json(path: Path, command: str, form: Any = Any) -> Any:
    """What a JSON file holds, checked against a form: a type that pydantic can validate, such as a TypedDict.

    NaN and infinities become None.

    Raises UserError, as `reading` does.
    """
    text = read_text(path, command)
    with reading(path, command):
        return TypeAdapter(form).validate_python(json.loads(text, parse_constant=lambda constant: None))


def read_column(path: Path, command: str, name: str) -> list[str]:
    """A column of a CSV file of at least one row, as text. Raises UserError, as `reading` does."""
    text = read_text(path, command)
    with reading(path, command):
        heading, *rows = csv.reader(io.StringIO(text), strict=True)
        if name not in heading:
            raise ValueError(f"it has no column '{name}'")
        if not rows:
            raise ValueError("it has no rows")
        if any(len(row) != len(heading) for row in rows):
            raise ValueError("its rows differ in length")
        place = heading.index(name)
        return [row[place] for row in rows]


def read_table(path: Path, command: str, *, numbers: Iterable[str] = ()) -> pd.DataFrame:
    """A CSV file of at least one row, which has these columns of numbers among its columns.

    Raises UserError, as `reading` does.
    """
    import pandas as pd  # takes half a second, and few jobs read tables

    text = read_text(path, command)
    with reading(path, command):
        table = pd.read_csv(io.StringIO(text))
        if table.empty:
            raise ValueError("it has no rows")
        for column in numbers:
            if column not in table:
                raise ValueError(f"it has no column '{column}'")
            if not pd.api.types.is_numeric_dtype(table[column]):
                raise ValueError(f"its column '{column}' does not hold numbers")
    return table


def read_array(path: Path, command: str, *, dims: int, dtype: Any = np.uint8) -> np.ndarray:
    """An .npy file of that many dimensions, memory-mapped. Raises UserError, as `reading` does."""
    with reading(path, command):
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.ndim != dims or array.dtype != dtype or not array.size:
            raise ValueError(f"it holds {array.dtype} of shape {array.shape}")
    return array


def read_arrays(path: Path, command: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name. Raises UserError, as `reading` does."""
    with reading(path, command), np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
