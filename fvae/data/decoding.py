"""What becomes of a picture."""

from __future__ import annotations

import hashlib

import numpy as np

from fvae.data import images
from fvae.data.journal import Line
from fvae.data.sources import Picture


def decoded(
    picture: Picture, *, sizes: tuple[int, ...], crop: images.Crop, filter: str, side: tuple[int, int] | None
) -> tuple[Line, list[np.ndarray]]:
    """Its line in the journal, and its pixels at each size unless it is rejected: black where it is too small."""
    content = picture.data.tobytes() if isinstance(picture.data, np.ndarray) else picture.data
    line = Line(picture.name, hashlib.sha256(content).hexdigest(), picture.index, picture.part, picture.problem)
    if line.reason:
        return line, []
    pixels = []
    for size in sizes:
        try:
            pixels.append(images.decode(picture.data, size=size, crop=crop, filter=filter, side=side))
        except images.TooSmall as rejection:
            line.edge = rejection.edge
            pixels.append(np.zeros((3, size, size), np.uint8))
        except images.Rejected as rejection:
            line.reason = str(rejection)
            return line, []
    return line, pixels
