"""From a file's bytes to square RGB images of the wanted sizes."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, ImageCms, ImageOps

FILTERS = {
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,  # the authors' scipy.misc.imresize
    "bicubic": Image.Resampling.BICUBIC,
}
Crop = str | tuple[int, int, int, int]
Box = tuple[float, float, float, float]

LARGEST = 80_000_000  # pixels; more is a decompression bomb
DRAFT_GAP = 4  # a JPEG is decoded at a half, a quarter or an eighth while it stays so many times the wanted size
WHOLE_LARGER = ("MPO",)  # of which further frames are smaller versions of the first
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `decode` has a limit of its own


class Rejected(Exception):
    """An image that cannot be used, and why."""


def decode(
    data: bytes | np.ndarray, *, sizes: tuple[int, ...], crop: Crop, filter: str, side: tuple[int, int] | None = None
) -> list[np.ndarray]:
    """The image cropped and resized with antialiasing to each of the sizes: (3, size, size) uint8. Raises Rejected.

    `data` is a file's content, or pixels (3, H, W). `crop` is 'center' (the largest square), 'none' (must be square)
    or a box of left, top, right, bottom in pixels. `side` is the width and height that the image must have.
    A JPEG much larger than the sizes is decoded at a fraction of its size, which changes values by a level or two.
    """
    if isinstance(data, np.ndarray):
        image = Image.fromarray(np.ascontiguousarray(data.transpose(1, 2, 0)))
        part = square(image.size, crop, sizes, side)
    else:
        image, part = _opened(data, sizes, crop, side)
    if all(edge == int(edge) for edge in part):  # nothing beyond the crop's edges shines in
        image = image.crop(tuple(map(int, part)))
        part = (0, 0, *image.size)
    resized = (image.resize((size, size), FILTERS[filter], part) for size in sizes)
    return [np.asarray(each).transpose(2, 0, 1) for each in resized]


def _opened(
    data: bytes, sizes: tuple[int, ...], crop: Crop, side: tuple[int, int] | None
) -> tuple[Image.Image, Box]:
    """The image upright in sRGB, perhaps smaller than it is stored, and the part to take of it."""
    if not data:
        raise Rejected("empty file")
    try:
        with Image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
            if width * height > LARGEST:
                raise Rejected(f"absurdly large, {width}×{height}")
            if getattr(opened, "n_frames", 1) > 1 and opened.format not in WHOLE_LARGER:
                raise Rejected(f"animated or of several pages, {opened.n_frames} frames")
            turned = opened.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            part = square((height, width) if turned else (width, height), crop, sizes, side)
            shrunk = int((part[2] - part[0]) // (DRAFT_GAP * max(sizes)))
            if shrunk > 1:
                opened.draft("RGB", (-(-width // shrunk), -(-height // shrunk)))
            scale = opened.size[0] / width
            return to_rgb(ImageOps.exif_transpose(opened)), tuple(scale * edge for edge in part)  # type: ignore[return-value]
    except Rejected:
        raise
    except Image.DecompressionBombError:
        raise Rejected("absurdly large") from None
    except Exception as error:  # Pillow's plugins raise many kinds
        raise Rejected(f"does not decode: {type(error).__name__}") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode as a person would expect to see it: its own colours, transparency on white, 16-bit grey's high byte."""
    if image.mode == "F":
        raise Rejected("of floating-point pixels")
    if image.mode.startswith("I"):
        wide = np.asarray(image.convert("I"), dtype=np.int64)
        return Image.fromarray((wide.clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        opaque = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), opaque).convert("RGB")
        return image
    return _srgb(image).convert("RGB")


def _srgb(image: Image.Image) -> Image.Image:
    """Colours by the image's ICC profile, where it has one that is not sRGB's and that fits."""
    profile = image.info.get("icc_profile")
    if not profile or b"sRGB" in profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, own, SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        return image


def square(size: tuple[int, int], crop: Crop, sizes: tuple[int, ...], side: tuple[int, int] | None) -> Box:
    """The part to take of an image of that width and height: left, top, right, bottom."""
    width, height = size
    if side and size != side:
        raise Rejected(f"{width}×{height}, where every image of this set has {side[0]}×{side[1]}")
    if isinstance(crop, tuple):
        if crop[2] > width or crop[3] > height:
            raise Rejected(f"{width}×{height} does not hold the box {list(crop)}")
        part = crop
    elif crop == "none" and width != height:
        raise Rejected(f"{width}×{height} is not square")
    else:
        edge = min(width, height)
        left, top = (width - edge) // 2, (height - edge) // 2
        part = (left, top, left + edge, top + edge)
    if part[2] - part[0] < max(sizes):
        raise Rejected(f"the crop of {part[2] - part[0]} pixels is smaller than {max(sizes)}")
    return part
