"""From arrays to the PNG files that the page shows and saves."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from fvae.paper.style import sheet

GAP = 2  # pixels between images
SIDE = 96  # pixels at least that an image of a saved sheet is shown with
TEXT, MARGIN = 18, 24  # pixels of a saved sheet


def grid(images: np.ndarray, columns: int) -> np.ndarray:
    """Images (N, 3, H, W) in rows of so many, where N fills them, with transparent gaps: uint8 (H', W', 4)."""
    rows = images.reshape(-1, columns, *images.shape[1:])
    opaque = 255 - sheet(np.zeros_like(rows), GAP)[..., :1]  # a sheet is white in its gaps
    return np.concatenate([sheet(rows, GAP), opaque], axis=2)


def png(pixels: np.ndarray, keywords: str = "") -> bytes:
    """uint8 (H, W, 3 or 4) as a PNG file; keywords are kept in the field in which figures keep their provenance."""
    information = PngImagePlugin.PngInfo()
    if keywords:
        information.add_itxt("Keywords", keywords)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", pnginfo=information)
    return file.getvalue()


def data_url(image: np.ndarray) -> str:
    """One image (3, H, W) as a data URL."""
    return "data:image/png;base64," + base64.b64encode(png(image.transpose(1, 2, 0))).decode()


def heat(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Numbers (H, W) in the colours of viridis between two ends: uint8 (3, H, W)."""
    share = ((values - low) / (high - low)).clip(0, 1)
    return mpl.colormaps["viridis"](share, bytes=True)[..., :3].transpose(2, 0, 1)


def side_by_side(sheets: Mapping[str, np.ndarray], columns: int, caption: str) -> np.ndarray:
    """Sheets of images (N, 3, H, W), each under its label, and a caption below all: uint8 (H', W', 3)."""
    font = ImageFont.load_default(TEXT)
    large = {label: Image.fromarray(sheet(enlarged(images, columns), GAP)) for label, images in sheets.items()}
    width = sum(each.width + MARGIN for each in large.values()) + MARGIN
    height = max(each.height for each in large.values()) + 2 * MARGIN + 4 * TEXT
    canvas = Image.new("RGB", (max(width, round(font.getlength(caption)) + 2 * MARGIN), height), "white")
    draw = ImageDraw.Draw(canvas)
    left = MARGIN
    for label, each in large.items():
        draw.text((left, MARGIN), label, "black", font)
        canvas.paste(each, (left, MARGIN + 2 * TEXT))
        left += each.width + MARGIN
    draw.text((MARGIN, height - MARGIN - TEXT), caption, "dimgrey", font)
    return np.asarray(canvas)


def enlarged(images: np.ndarray, columns: int) -> np.ndarray:
    """Images (N, 3, H, W) as rows of so many, each pixel repeated where images are small."""
    scale = max(1, SIDE // images.shape[-1])
    large = images.repeat(scale, axis=2).repeat(scale, axis=3)
    return large.reshape(-1, columns, *large.shape[1:])
