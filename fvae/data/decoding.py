"""From a picture of a source to pixels at the wanted sizes, or to the reason why it is rejected."""

from __future__ import annotations

import hashlib

import numpy as np

from fvae.data import images
from fvae.data.journal import Outcome
from fvae.data.rejections import Rejected, TooSmall
from fvae.data.sources import Picture


def decode_at_sizes(
    picture: Picture, *, sizes: tuple[int, ...], crop: images.Crop, filter: str, side: tuple[int, int] | None
) -> tuple[Outcome, list[np.ndarray]]:
    """The outcome and the pixels at each size, (3, size, size) uint8.

    There are no pixels where the picture is rejected at any size; they are black at a size for which it is too small.
    """
    content = picture.data.tobytes() if isinstance(picture.data, np.ndarray) else picture.data
    digest = hashlib.sha256(content).hexdigest()
    outcome = Outcome(picture.name, digest, picture.index, picture.part, picture.problem)
    if outcome.reason:
        return outcome, []
    pixels = []
    for size in sizes:
        try:
            pixels.append(images.decode(picture.data, size=size, crop=crop, filter=filter, side=side))
        except TooSmall as rejection:
            outcome.edge = rejection.edge
            pixels.append(np.zeros((3, size, size), np.uint8))
        except Rejected as rejection:
            outcome.reason = str(rejection)
            return outcome, []
    return outcome, pixels
