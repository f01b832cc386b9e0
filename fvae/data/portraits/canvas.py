"""Where portraits are painted: an image of samples, what is known at each of them, and parts of both.

A layer changes nothing where its cover is zero. So most layers are painted on a part: the samples, of all portraits of
a batch, where the layer's cover can be above zero. A part is one row of samples; elementwise arithmetic gives the same
bytes there as on the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from fvae.data.portraits.shapes import Array

SAMPLES = 2  # a pixel is the mean of 2×2 samples


class Fields(SimpleNamespace):
    """Numbers (N, 1, 1) and colours (3, N, 1, 1) of N portraits, and values at their samples, (N, S, S)."""

    def __init__(self, count: int, samples: int) -> None:
        super().__init__(shape=(count, samples, samples), bounds=np.arange(count + 1) * samples**2)

    def only(self, near: NDArray[np.bool_]) -> Part:
        """The same at the samples where `near` holds."""
        return Part(self, np.flatnonzero(np.broadcast_to(near, self.shape)))


class Part(Fields):
    """The fields of a whole at n of its samples, (1, 1, n) or (3, 1, 1, n): each is picked when it is first used."""

    def __init__(self, whole: Fields, samples: NDArray[np.intp]) -> None:
        SimpleNamespace.__init__(self, whole=whole, samples=samples, shape=(1, 1, len(samples)))
        self.portraits: Fields = whole.portraits if isinstance(whole, Part) else whole
        self.bounds = np.searchsorted(samples, whole.bounds)  # between the samples of two portraits
        self.counts = np.diff(self.bounds)

    def __getattr__(self, name: str) -> Array:
        values = vars(self.portraits).get(name)
        if values is not None and values.shape[-2:] == (1, 1):
            picked = _row(values).repeat(self.counts, axis=-1)
        else:
            picked = _row(getattr(self.whole, name)).take(self.samples, axis=-1)
        setattr(self, name, picked)
        return picked


def _row(values: Array) -> Array:
    """(…, N, S, S) → (…, 1, 1, N × S × S)."""
    return values.reshape(*values.shape[:-3], 1, 1, -1)


class Canvas:
    """An image in linear light, (3, N, S, S) with S = SAMPLES × size; or a part of one, (3, 1, 1, n)."""

    def __init__(self, image: Array, size: int) -> None:
        self.image, self.size = image, size
        self.step = 2 / (SAMPLES * size)  # between two samples, in half frames

    def cover(self, distance: Array, soft: float | Array = 0.0) -> Array:
        """1 inside, 0 outside, smooth over a sample and the width `soft`."""
        t = distance / (self.step + soft)
        np.subtract(0.5, t, out=t)
        np.clip(t, 0, 1, out=t)
        rest = 2 * t
        np.subtract(3, rest, out=rest)
        t *= t
        t *= rest
        return t

    def fine(self, cycles: float) -> float:
        """How much of a pattern of so many cycles in half a frame pixels can show: 1 to 0."""
        return min(max(1.5 - 4 * cycles / self.size, 0.0), 1.0)

    def paint(self, colour: Array, cover: Array, shade: Array | float = 1.0) -> None:
        """Lay a colour (3, N or 1, 1, 1), times a shade (N, S, S), over what is there."""
        layer = colour * shade - self.image
        layer *= cover
        self.image += layer

    def within(self, part: Part, *layers: Callable[[Canvas, Part], None]) -> None:
        """Paint layers on only a part of the canvas."""
        if not len(part.samples):
            return
        whole = self.image.reshape(3, -1)
        canvas = Canvas(whole.take(part.samples, axis=1).reshape(3, 1, 1, -1), self.size)
        for layer in layers:
            layer(canvas, part)
        for channel in range(3):
            whole[channel][part.samples] = canvas.image[channel].reshape(-1)

    def pixels(self) -> Array:
        """The image at its final size: (N, 3, size, size)."""
        size = self.size
        image = self.image.reshape(3, -1, size, SAMPLES, size, SAMPLES).swapaxes(0, 1)
        corners = (image[..., i, :, j] for i in range(SAMPLES) for j in range(SAMPLES))
        return reduce(np.add, corners) / SAMPLES**2
