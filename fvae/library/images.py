"""Images as people have them, arrays or PIL images, to and from the uint8 arrays of the models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from fvae.data.images import decode, to_rgb
from fvae.data.levels import coarse
from fvae.data.rejections import Rejected
from fvae.errors import UserError

OneImage = np.ndarray | Image.Image
ImagesLike = OneImage | Sequence[OneImage]


def as_array(images: ImagesLike, size: int, bits: int) -> np.ndarray:
    """Images as a model of that size and bits sees them: uint8 (n, 3, size, size).

    `images` is a uint8 array (n, 3, size, size) or (3, size, size), a PIL image, or a sequence of images of either
    kind. Of a PIL image the largest square in its middle is resized by Lanczos, as images are prepared for training.
    Raises UserError where they are anything else, or where a PIL image is smaller than the model's or does not decode.
    """
    if isinstance(images, np.ndarray) and images.ndim == 4:
        found = _checked(images, size)
    elif isinstance(images, np.ndarray | Image.Image):
        found = _one(images, size)[None]
    elif isinstance(images, Sequence) and len(images) and not isinstance(images, str):
        found = np.stack([_one(image, size) for image in images])
    else:
        raise UserError(f"images: {_named(images)} is no array, no PIL image and no list of these")
    return coarse(found, bits)


def to_pil(images: np.ndarray) -> list[Image.Image]:
    """uint8 images (n, 3, H, W) or (3, H, W) as PIL images. Raises UserError where they are of another form."""
    found = np.asarray(images)
    found = found[None] if found.ndim == 3 else found
    if found.dtype != np.uint8 or found.ndim != 4 or found.shape[1] != 3:
        raise UserError(f"images: uint8 (n, 3, H, W) is needed, not {_named(images)}")
    return [Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))) for image in found]


def _one(image: OneImage, size: int) -> np.ndarray:
    """One image: (3, size, size)."""
    if isinstance(image, np.ndarray):
        return _checked(image[None], size)[0]
    if not isinstance(image, Image.Image):
        raise UserError(f"images: {_named(image)} is neither an array nor a PIL image")
    try:
        pixels = np.asarray(to_rgb(ImageOps.exif_transpose(image))).transpose(2, 0, 1)
        return decode(pixels, size=size, crop="center", filter="lanczos")
    except Rejected as error:
        raise UserError(f"{_place(image)}: a PIL image of {image.width}×{image.height}: {error}") from error
    except OSError as error:  # Pillow decodes a file when its pixels are asked for
        raise UserError(f"{_place(image)}: does not decode: {error}") from error


def _checked(images: np.ndarray, size: int) -> np.ndarray:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (3, size, size) or not len(images):
        raise UserError(f"images: uint8 (n, 3, {size}, {size}) or (3, {size}, {size}) is needed, not {_named(images)}")
    return images


def _place(image: Image.Image) -> str:
    """The file that a PIL image was opened from, or "images"."""
    return str(getattr(image, "filename", "") or "images")


def _named(value: object) -> str:
    """What was given, in words."""
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
