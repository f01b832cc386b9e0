"""From a file's bytes to a square RGB image of the wanted size."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

FILTERS = {
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
Crop = str | tuple[int, int, int, int]


class Rejected(Exception):
    """An image that cannot be used, and why."""


def decode(data: bytes, *, size: int, crop: Crop, filter: str) -> np.ndarray:
    """The image cropped and resized with antialiasing: (3, size, size) uint8. Raises Rejected.

    `crop` is 'center' (the largest square), 'none' (must be square) or a box of left, top, right, bottom in pixels.
    """
    if not data:
        raise Rejected("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as opened:
                image = to_rgb(ImageOps.exif_transpose(opened))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Rejected("absurdly large") from None
    except Exception as error:  # Pillow's plugins raise many kinds
        raise Rejected(f"does not decode: {type(error).__name__}") from error
    return np.asarray(resize(image, box(image, crop), size, filter)).transpose(2, 0, 1)


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode as a person would expect to see it: transparency on white, 16-bit grey by its high byte."""
    if image.mode.startswith("I"):
        wide = np.asarray(image.convert("I"), dtype=np.int64)
        return Image.fromarray((wide.clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def box(image: Image.Image, crop: Crop) -> tuple[int, int, int, int]:
    """The square to take: left, top, right, bottom."""
    width, height = image.size
    if isinstance(crop, tuple):
        if crop[2] > width or crop[3] > height:
            raise Rejected(f"{width}×{height} does not hold the box {list(crop)}")
        return crop
    if crop == "none" and width != height:
        raise Rejected(f"{width}×{height} is not square")
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def resize(image: Image.Image, part: tuple[int, int, int, int], size: int, filter: str) -> Image.Image:
    """A part of the image at size×size; Pillow's filters widen with the reduction, and so do not alias."""
    if part[2] - part[0] < size:
        raise Rejected(f"the crop of {part[2] - part[0]} pixels is smaller than {size}")
    return image.crop(part).resize((size, size), FILTERS[filter])
