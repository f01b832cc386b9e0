"""The factors of a portrait, such as hair and pose, each drawn from a hash of (seed, index, name)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Uniform:
    """Uniform between two bounds."""

    low: float
    high: float
    draws = 1

    def __call__(self, u: Array) -> Array:
        return self.low + (self.high - self.low) * u[0]


@dataclass(frozen=True)
class Bell:
    """Nearly normal and bounded: the sum of four uniform numbers, within 3.5 standard deviations."""

    mean: float
    deviation: float
    draws = 4

    def __call__(self, u: Array) -> Array:
        return self.mean + self.deviation * (u[0] + u[1] + u[2] + u[3] - 2) * 3**0.5


@dataclass(frozen=True)
class Choice:
    """The number of one of several kinds, with probabilities in proportion to their weights."""

    weights: tuple[float, ...]
    draws = 1

    def __call__(self, u: Array) -> Array:
        edges = np.cumsum(self.weights)
        return np.searchsorted(edges[:-1] / edges[-1], u[0], side="right")


@dataclass(frozen=True)
class Colour:
    """One of the colours (RGB in 0..1, with weights), lightened or darkened by up to a share `vary`."""

    colours: str
    weights: tuple[float, ...]
    vary: float
    draws = 2

    def __call__(self, u: Array) -> Array:
        colours = rgb(self.colours)[Choice(self.weights)(u)]
        return colours * (1 + self.vary * (2 * u[1] - 1))[:, None]


@dataclass(frozen=True)
class Blend:
    """A colour, uniform along a line through anchors."""

    anchors: str
    draws = 1

    def __call__(self, u: Array) -> Array:
        anchors = rgb(self.anchors)
        place = u[0] * (len(anchors) - 1)
        left = place.astype(int)
        return anchors[left] + (place - left)[:, None] * (anchors[left + 1] - anchors[left])


def rgb(words: str) -> Array:
    """Colours written in hexadecimal, separated by blanks → (number, 3) in 0..1."""
    return np.array([list(bytes.fromhex(word)) for word in words.split()]) / 255


# Lengths are in half frames: the frame reaches from -1 to 1, a head's half width is about a half. Turns are slopes
# (tangents), which need no trigonometry, so that a portrait has the same bytes on every machine.
FACTORS: dict[str, Uniform | Bell | Choice | Colour | Blend] = {
    "x": Bell(0.0, 0.03),
    "y": Bell(0.02, 0.025),
    "scale": Bell(1.05, 0.045),
    "roll": Bell(0.0, 0.07),
    "yaw": Bell(0.0, 0.17),
    "pitch": Bell(0.0, 0.06),
    "head_width": Bell(0.535, 0.024),
    "head_length": Bell(0.73, 0.025),
    "jaw": Uniform(0.0, 1.0),  # pointed to square
    "skin": Blend("f0d3c0 ebbd9e dca781 bf855e 94613f 6b4635"),
    "blush": Uniform(0.0, 1.0),
    "age": Uniform(0.0, 1.0),
    "freckles": Choice((0.88, 0.12)),
    "hair": Choice((7, 8, 12, 9, 7, 8, 11, 12, 10, 8, 8)),  # the rows of painting.STYLES
    "hair_colour": Colour(
        "241d1c 3b2820 5a3a26 7d4a2a a3532c b98a52 dcbf8a 98928e d8d3cc c9657f 3f8f96",
        (16, 16, 14, 9, 7, 9, 9, 6, 4, 1.5, 1.5),
        0.15,
    ),
    "hair_volume": Uniform(0.7, 1.35),
    "hairline": Bell(-0.49, 0.03),
    "parting": Bell(0.0, 0.17),
    "strands": Uniform(0.0, 1.0),
    "brow_height": Bell(-0.25, 0.018),
    "brow_weight": Uniform(0.018, 0.04),
    "brow_arch": Bell(0.035, 0.016),
    "brow_tilt": Bell(0.0, 0.09),
    "eye_size": Bell(0.128, 0.009),
    "eye_open": Bell(0.5, 0.085),
    "eye_spacing": Bell(0.235, 0.011),
    "eye_tilt": Bell(0.06, 0.07),
    "eye_colour": Colour("3a2416 5b3a20 7b6a35 5d7f4e 5b8fb5 7f99a8", (8, 6, 3, 3, 4, 3), 0.15),
    "lashes": Uniform(0.0, 1.0),
    "gaze_x": Bell(0.0, 0.016),
    "gaze_y": Bell(0.0, 0.007),
    "nose_width": Bell(0.085, 0.011),
    "nose_length": Bell(0.2, 0.02),
    "mouth_width": Bell(0.185, 0.02),
    "smile": Bell(0.035, 0.022),
    "mouth_open": Bell(0.004, 0.034),  # the lips are shut below zero
    "lip_fullness": Uniform(0.03, 0.065),
    "lip_colour": Colour("b5665c a34a50 c23a45 8c3040", (10, 4, 2, 1), 0.1),
    "beard": Choice((70, 10, 12, 8)),  # none, stubble, full, chin
    "moustache": Choice((82, 18)),
    "glasses": Choice((74, 10, 10, 6)),  # none, round, square, dark
    "glasses_colour": Colour("1c1a1e 5a3423 8d8f96 9a7434", (6, 3, 2, 2), 0.2),
    "earrings": Choice((78, 22)),
    "hat": Choice((91, 9)),
    "hat_colour": Colour("a63d40 3d5a80 3f6b4f d1a03f 45424d c9b8a0", (1, 1, 1, 1, 1, 1), 0.2),
    "clothes": Colour(
        "e8e4dc 2b2d38 8c2f39 2f4f78 3f6b5a c98f3c 7a5a86 b7b2ab d98a86", (3, 4, 2, 3, 2, 2, 1, 2, 1), 0.15
    ),
    "neckline": Choice((4, 3, 3, 2)),  # round, V, collar, turtleneck
    "stripes": Choice((82, 18)),
    "light_x": Bell(0.0, 0.55),
    "light_y": Bell(-0.45, 0.2),
    "light_warmth": Bell(0.0, 0.05),
    "light_strength": Bell(1.0, 0.07),
    "contrast": Uniform(0.5, 0.85),
    "background": Colour(
        "d9d4cc 8fb0c9 49637f 2c2b33 7f9a76 c7a27c a86f5e 6d5a78 b9b4ae 3e5a4c",
        (3, 3, 2, 3, 2, 2, 1, 1, 2, 2),
        0.2,
    ),
    "background_2": Colour("e6e1d6 5f86a6 20242c 93a88a d8b48c 8a8078", (2, 2, 3, 2, 2, 2), 0.2),
    "gradient_x": Uniform(-0.8, 0.8),
    "gradient_y": Uniform(-0.6, 1.0),
    "texture": Choice((4, 3, 2)),  # plain, lights out of focus, panels
    "texture_place": Uniform(0.0, 1.0),
    "texture_weight": Uniform(0.08, 0.3),
    "grain": Uniform(1.0, 3.0),  # standard deviation in 8-bit levels
}

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def factors(indices: ArrayLike, seed: int) -> dict[str, Array]:
    """The factors that portraits are drawn from, all independent of each other.

    Args:
        indices: (N,) numbers of portraits, from 0.
        seed: names the set.

    Returns:
        For each name in FACTORS an array (N,): lengths, shares or numbers of kinds; (N, 3) for a colour, sRGB in 0..1.
    """
    return {name: kind(uniform(words(seed, indices, name, kind.draws))) for name, kind in FACTORS.items()}


def uniform(bits: Array) -> Array:
    """64 random bits → a number in [0, 1)."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def words(seed: int, indices: ArrayLike, name: str, count: int) -> Array:
    """Random 64-bit words (count, N), each a hash (SplitMix64) of seed, index, name and place and of nothing else."""
    places = np.asarray(indices).astype(np.uint64).reshape(-1)
    key = np.array([seed % 2**64, zlib.crc32(name.encode())], dtype=np.uint64)
    key = _mix(_mix(key[:1]) + key[1:])
    steps = np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
    return _mix(_mix(key + places * GOLDEN)[:, None] + steps).T  # the words of an index lie side by side


def _mix(z: Array) -> Array:
    z = z ^ z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z
