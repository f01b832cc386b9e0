"""A prepared set as it is read: memory-mapped images, of which each split is a contiguous view."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from fvae.errors import UserError
from fvae.files import read_array, read_column, read_json
from fvae.seeding import numpy_generator


@with_config(ConfigDict(extra="allow"))
class Manifest(TypedDict):
    """What is read from manifest.json."""

    images_sha256: str
    splits: dict[str, int]
    mean: list[float]  # of each channel, in 8-bit levels
    std: list[float]


class ImageArray:
    """uint8 images (N, 3, H, W) in the order train, validation, test, with the split of each and the manifest."""

    def __init__(self, images: np.ndarray, splits: Sequence[str], manifest: dict[str, Any]) -> None:
        self.images, self.splits, self.manifest = images, splits, manifest

    def digest(self) -> str:
        """A hash of the pixels and of which split each image is in."""
        parts = [self.manifest["images_sha256"], *self.splits]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def training_images(self, *, hold_out: bool) -> np.ndarray:
        """The images that models are trained on, a view: those of the split train, or all where none are held out."""
        return self.split("train") if hold_out else self.images

    def split(self, name: str) -> np.ndarray:
        """The images of a split, a view. Raises UserError where the split has no images."""
        rows = np.flatnonzero(np.array(self.splits) == name)
        if not len(rows):
            raise UserError(f"index.csv: there is no image in the split '{name}'; prepare the images again")
        return self.images[rows[0] : rows[-1] + 1]


def load(folder: Path) -> ImageArray:
    """Open a prepared set. Raises UserError where its files are missing, damaged, or do not agree with each other."""
    prepare = f"prepare --experiment {folder.name}"
    images = read_array(folder / "images.npy", prepare, dims=4)
    splits = read_column(folder / "index.csv", prepare, "split")
    manifest = read_json(folder / "manifest.json", prepare, Manifest)
    if len(images) != len(splits):
        raise UserError(f"{folder}: images.npy and index.csv do not agree; make it again: python -m fvae {prepare}")
    return ImageArray(images, splits, manifest)


def random_images(images: np.ndarray, n: int, name: str) -> np.ndarray:
    """n of the images (N, …), or all where there are no more: the first n of a random order, as they are stored.

    The order depends only on its name, so that all models, seeds and metrics that give the same name take the same
    images. The first rows would not do: files of a set may be sorted by person, as LFW's are.
    """
    return next(random_subsets(images, min(n, len(images)), 1, name))


def random_subsets(images: np.ndarray, n: int, number: int, name: str) -> Iterator[np.ndarray]:
    """Random subsets of n images each, (n, …). They have no image in common as long as there are enough images.

    They are successive parts of one random order, which depends on its name, and then of further orders. Raises
    UserError where there are fewer than n images.
    """
    if not 0 < n <= len(images):
        raise UserError(f"{n} images are needed for {name}, but there are {len(images)}")
    for index in range(number):
        order, part = divmod(index, len(images) // n)
        rows = numpy_generator(0, name, order).permutation(len(images))[part * n : (part + 1) * n]
        yield images if n == len(images) else images[np.sort(rows)]
