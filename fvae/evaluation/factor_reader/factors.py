"""The factors that the network reads: kinds, such as glasses, and numbers, such as the turn of the head."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fvae.data.portraits import factors

KINDS = {  # the names of the numbers that `people.FACTORS` draws
    "hair": ("bald", "buzz", "crop", "quiff", "afro", "curly", "bob", "long", "wavy", "fringe", "bun"),
    "beard": ("none", "stubble", "full", "chin"),
    "moustache": ("none", "worn"),
    "glasses": ("none", "round", "square", "dark"),
    "earrings": ("none", "worn"),
    "hat": ("none", "worn"),
    "neckline": ("round", "V", "collar", "turtleneck"),
    "stripes": ("none", "striped"),
    "freckles": ("none", "freckled"),
    "texture": ("plain", "lights", "panels"),
}
NUMBERS = {  # the name of a factor, and how many numbers it has: three of a colour
    **dict.fromkeys(("x", "y", "scale", "roll", "yaw", "pitch", "head_width", "head_length", "jaw"), 1),
    **dict.fromkeys(("smile", "mouth_open", "eye_open", "hair_volume", "parting"), 1),
    **dict.fromkeys(("light_x", "light_y", "light_strength", "light_warmth", "contrast"), 1),
    **dict.fromkeys(("gradient_x", "gradient_y"), 1),
    **dict.fromkeys(("skin", "hair_colour", "clothes", "background", "background_2"), 3),
}
MIRRORED = ("x", "roll", "yaw", "light_x", "gradient_x", "parting")  # numbers that change their sign in a mirror
FIRST = {name: sum(list(NUMBERS.values())[:place]) for place, name in enumerate(NUMBERS)}  # columns of `numbers`
WIDTH = sum(NUMBERS.values())


def kinds(people: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """The kinds of portraits (N, factors of KINDS), from the factors that they were drawn from."""
    return np.stack([people[name].astype(np.int64) for name in KINDS], axis=1)


def numbers(people: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """The numbers of portraits (N, WIDTH), from the factors that they were drawn from."""
    columns = [people[name].reshape(len(people[name]), -1) for name in NUMBERS]
    return np.concatenate(columns, axis=1).astype(np.float32)


def mirrored(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The `numbers` (N, WIDTH) of the same portraits in a mirror."""
    signs = np.ones(WIDTH, np.float32)
    signs[[FIRST[name] for name in MIRRORED]] = -1
    return values * signs


def shares(found: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """The share of each kind of each factor among `kinds` (N, factors of KINDS)."""
    return {
        name: {kind: float(np.mean(found[:, place] == number)) for number, kind in enumerate(names)}
        for place, (name, names) in enumerate(KINDS.items())
    }


def true_kinds(indices: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The `kinds` that portraits were drawn from, by their numbers and the seed of their set."""
    return kinds(factors(indices, seed))
