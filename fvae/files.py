"""Files that are whole or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write(path: Path, save: Callable[[Path], Any]) -> None:
    """Write a file beside its target and rename it, so that there is never half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """A text file."""
    write(path, lambda partial: partial.write_text(text))


def write_json(path: Path, value: Any) -> None:
    """JSON that reads well and compares well."""
    write_text(path, json.dumps(value, indent=2) + "\n")
