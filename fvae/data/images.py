"""From a file's bytes to a square RGB image of the wanted size."""

from __future__ import annotations

import io
import math
import re
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

from fvae.data.rejections import Rejected, TooSmall
from fvae.errors import UserError, memory_is_full

Box = tuple[int, int, int, int]  # left, top, right, bottom
Crop = str | Box

MAX_PIXELS = 80_000_000  # more is a decompression bomb
DRAFTS = (8, 4, 2)  # a JPEG can be decoded at an eighth, a quarter or a half of its size
DRAFT_GAP = 4  # it is decoded so where the crop then still is so many times the wanted size
FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM"]  # none for which Pillow starts another program
FORMATS += ["AVIF"] if features.check("avif") else []
PREVIEWS = ("MPO",)  # formats whose further frames are smaller versions of the first
UNSUPPORTED = re.compile(rb"....ftyp(?:(?P<heic>hei[cxms]|hev[cx]|mif1|msf1)|avi[fs])", re.DOTALL)
NO_IMAGE = "does not decode: no image"  # the reason why other files are rejected
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

warnings.filterwarnings("ignore", module="PIL")  # about large images and odd EXIF, which are dealt with here


def decode(
    data: bytes | np.ndarray, *, size: int, crop: Crop, filter: str, side: tuple[int, int] | None = None
) -> np.ndarray:
    """The image cropped and resized with antialiasing: (3, size, size) uint8. Raises Rejected.

    `data` is a file's content, or pixels (3, H, W). `crop` is 'center' (the largest square), 'none' (must be square)
    or a box of left, top, right, bottom in pixels. `side` is the width and height that the image must have.
    A JPEG much larger than the size is decoded at a fraction of its own where no edge falls between pixels: on
    photographs of faces that changes no value by more than six, and the mean by less than a half. Patterns of a few
    pixels in strong colours change by more.
    """
    try:
        if isinstance(data, np.ndarray):
            pixels = data.transpose(1, 2, 0)
            part = square((pixels.shape[1], pixels.shape[0]), crop, size, side)
        else:
            image, part = _opened(data, size, crop, side)
            pixels = np.asarray(image)
        left, top, right, bottom = part
        # The crop comes first, so that pixels outside it have no influence.
        return resize(pixels[top:bottom, left:right], size, filter)
    except (Rejected, UserError):
        raise
    except Image.DecompressionBombError:
        raise Rejected("absurdly large") from None
    except UnidentifiedImageError as error:
        unsupported = _unsupported(data)
        raise Rejected(f"does not decode: {unsupported}" if unsupported else NO_IMAGE) from error
    except Exception as error:  # Pillow's plugins raise many kinds
        if memory_is_full(error):
            raise MemoryError from error
        raise Rejected(f"does not decode: {type(error).__name__}") from error


def _unsupported(data: bytes | np.ndarray) -> str | None:
    """What to say of an image in a format that this Pillow does not decode."""
    match = UNSUPPORTED.match(data[:12]) if isinstance(data, bytes) else None
    if match is None:
        return None
    return f"{'HEIC' if match['heic'] else 'AVIF'}, which this Pillow does not read; convert it to PNG or JPEG"


def resize(pixels: np.ndarray, size: int, filter: str) -> np.ndarray:
    """A square of pixels, (H, H, 3) uint8, resized with antialiasing: (3, size, size) uint8.

    PyTorch's kernels are several times as fast as Pillow's, and every value is within two levels of Pillow's, at
    sizes up to 128 within one. They compute in integers, so that every processor makes the same bytes. The filter area
    is Pillow's. Raises UserError where this PyTorch lacks the filter.
    """
    pixels = np.array(pixels)
    if filter == "area":
        pixels = np.array(Image.fromarray(pixels).resize((size, size), Image.Resampling.BOX))
    image = torch.from_numpy(pixels).permute(2, 0, 1)
    if len(pixels) != size:
        try:
            image = F.interpolate(image[None], (size, size), mode=filter, antialias=True)[0]
        except (NotImplementedError, ValueError) as error:
            raise UserError(
                f"PyTorch {torch.__version__} cannot resize by {filter}: choose another data.filter"
            ) from error
    return image.contiguous().numpy()


def _opened(data: bytes, size: int, crop: Crop, side: tuple[int, int] | None) -> tuple[Image.Image, Box]:
    """The image upright in sRGB, a JPEG perhaps decoded at a smaller size, and the box of the crop in it."""
    if not data:
        raise Rejected("empty file")
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        width, height = opened.size
        if width * height > MAX_PIXELS:
            raise Rejected(f"absurdly large, {width}×{height}")
        frames = getattr(opened, "n_frames", 1)
        if frames > 1 and opened.format not in PREVIEWS:
            raise Rejected(f"animated or of several pages, {frames} frames")
        orientation = opened.getexif().get(0x0112, 1)
        part = square((height, width) if orientation in (5, 6, 7, 8) else (width, height), crop, size, side)
        for fraction in DRAFTS:
            large = part[2] - part[0] >= fraction * DRAFT_GAP * size
            if large and math.gcd(width, height, *part) % fraction == 0:
                opened.draft("RGB", (width // fraction, height // fraction))
                break
        left, top, right, bottom = (edge * opened.size[0] // width for edge in part)
        upright = opened if orientation == 1 else ImageOps.exif_transpose(opened)
        return to_rgb(upright), (left, top, right, bottom)


def shape(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as they are stored, before EXIF's orientation."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        return opened.size


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB: colours by the profile, transparency on white, of 16-bit grey the high byte. Raises Rejected."""
    if image.mode == "F":
        raise Rejected("of floating-point pixels")
    if image.mode.startswith("I"):
        wide = np.asarray(image.convert("I"), dtype=np.int64)
        return Image.fromarray((wide.clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        opaque = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), opaque).convert("RGB")
    image.load()
    image = _srgb(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _srgb(image: Image.Image) -> Image.Image:
    """Convert by the image's ICC profile, where it has one that is not sRGB's and that fits its mode."""
    profile = image.info.get("icc_profile")
    if not profile or b"sRGB" in profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, own, SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        return image


def square(extent: tuple[int, int], crop: Crop, size: int, side: tuple[int, int] | None) -> Box:
    """The box of the crop in an image of that width and height, in pixels. Raises Rejected."""
    width, height = extent
    if side and extent != side:
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
    if part[2] - part[0] < size:
        raise TooSmall(part[2] - part[0], size)
    return part
