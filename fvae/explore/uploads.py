"""One's own images: from the bytes of a file to what the models see, or to one line that says why not."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
from PIL import Image

from fvae.data import images
from fvae.data.levels import coarse
from fvae.data.rejections import Rejected, TooSmall
from fvae.errors import UserError

MAX_BYTES = 32 * 2**20  # of a file
MAX_KEPT = 200  # images; older ones are forgotten


class Uploads:
    """Images that were dropped on the page, only in memory, by reference: own-0, own-1 and so on."""

    def __init__(self, size: int, bits: int, filter: str) -> None:
        self.size, self.bits, self.filter = size, bits, filter
        self._images: dict[str, np.ndarray] = {}
        self._next = 0

    def add(self, data: bytes) -> tuple[str, str | None]:
        """Keep the image of a file's content: its reference, and a line for the user where something was changed.

        The largest square in its middle is resized as images are for training. Raises UserError for what is no image,
        too small, animated, or of too many pixels.
        """
        if len(data) > MAX_BYTES:
            raise UserError(f"larger than {MAX_BYTES >> 20} MB; make it smaller")
        try:
            image = images.decode(data, size=self.size, crop="center", filter=self.filter)
        except TooSmall as error:
            raise UserError(f"too small: {error.edge} pixels at its shorter side, {self.size} are needed") from error
        except Rejected as error:
            raise UserError(in_words(str(error))) from error
        reference = f"own-{self._next}"
        self._next += 1
        self._images[reference] = coarse(image, self.bits)
        while len(self._images) > MAX_KEPT:
            del self._images[next(iter(self._images))]
        return reference, note(data)

    def __getitem__(self, reference: str) -> np.ndarray:
        """uint8 (3, size, size). Raises UserError where there is no such image."""
        if reference not in self._images:
            raise UserError("this image is no longer kept; add it again")
        return self._images[reference]


def in_words(reason: str) -> str:
    """The reason of a rejection in words for someone who dropped a file on a page."""
    if reason in (images.NO_IMAGE, "empty file"):
        return "not an image that can be read here: PNG, JPEG, WebP, TIFF, BMP, GIF or AVIF"
    if reason.startswith("absurdly large"):
        return f"{reason} pixels: at most {images.MAX_PIXELS // 10**6} million can be read"
    if reason.startswith("animated"):
        return f"{reason}; save one of them as an image of its own"
    said = reason.removeprefix("does not decode: ")
    return "damaged or cut off" if said != reason and " " not in said else said


def note(data: bytes) -> str | None:
    """What was done to an image beyond cropping and resizing, if anything."""
    with suppress(OSError), Image.open(io.BytesIO(data), formats=images.FORMATS) as opened:
        if opened.mode == "CMYK":
            return "CMYK, converted to RGB"
        if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
            return "transparent parts became white"
    return None
