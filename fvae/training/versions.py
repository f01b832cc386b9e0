"""The code of a training and the versions of the libraries that compute, by which two parts of one are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch

PACKAGE = Path(__file__).parents[1]
# The code that decides a training and its validations; tests/training/test_versions.py compares it with the imports.
SOURCES = (
    *("models", "networks", "flows", "training", "objective.py", "seeding.py", "data/pixels.py", "data/levels.py"),
    *("evaluation/validation.py", "evaluation/likelihood.py", "evaluation/sampling.py", "evaluation/swd.py"),
    *("evaluation/portrait_distance.py", "evaluation/frechet.py", "evaluation/max_pool.py"),
    *("evaluation/factor_reader", "data/portraits"),
)
CODE = "code"

Versions = dict[str, str]


@cache
def versions() -> Versions:
    """The digest of the code of a training, and the versions of PyTorch and NumPy."""
    code = hashlib.sha256()
    for file in sources():
        code.update(f"{file.relative_to(PACKAGE).as_posix()}\n".encode() + file.read_bytes())
    return {CODE: code.hexdigest(), "PyTorch": str(torch.__version__), "NumPy": np.__version__}


def sources() -> Iterator[Path]:
    """The source files of SOURCES."""
    for name in SOURCES:
        path = PACKAGE / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def difference(then: Versions, now: Versions) -> str:
    """How the code and the versions of a state differ from those here, in words; empty where they are the same."""
    names = [name for name in now if then.get(name) != now[name]]
    return " and ".join("other code" if name == CODE else f"{name} {then.get(name)}, not {now[name]}" for name in names)
