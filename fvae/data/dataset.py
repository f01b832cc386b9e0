"""A prepared set as it is read: memory-mapped, a contiguous view a split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fvae.errors import UserError


class ImageArray:
    """uint8 images (N, 3, H, W) in the order train, validation, test, with their index and manifest."""

    def __init__(self, images: np.ndarray, index: pd.DataFrame, manifest: dict[str, Any]) -> None:
        self.images, self.index, self.manifest = images, index, manifest

    def split(self, name: str) -> np.ndarray:
        """The images of a split, a view."""
        rows = np.flatnonzero(self.index["split"] == name)
        return self.images[rows[0] : rows[-1] + 1]


def load(folder: Path) -> ImageArray:
    """Open a prepared set. Raises UserError where it is missing or its files do not agree."""
    prepare = "prepare it first: python -m fvae prepare --experiment " + folder.name
    try:
        images = np.load(folder / "images.npy", mmap_mode="r")
        index = pd.read_csv(folder / "index.csv")
        manifest = json.loads((folder / "manifest.json").read_text())
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: missing; {prepare}") from error
    except ValueError as error:
        raise UserError(f"{folder}: damaged ({error}); {prepare}") from error
    if images.ndim != 4 or images.dtype != np.uint8 or len(images) != len(index):
        raise UserError(f"{folder}: images.npy and index.csv do not agree; {prepare}")
    return ImageArray(images, index, manifest)
