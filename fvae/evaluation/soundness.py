"""How distances and shares answer to corruptions of real images, as FID's authors tested FID."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from fvae.data.levels import coarse
from fvae.data.portraits import factors
from fvae.evaluation.corruptions import CORRUPTIONS, SHARES, Corruption, mixed
from fvae.evaluation.factor_reader.factors import KINDS
from fvae.evaluation.spread import by_key, deviation, mean
from fvae.params import Portraits
from fvae.progress import progress

SHORN = ("bald", "buzz")  # styles of hair
DARK = 0.27  # mean of a colour of hair, sRGB in 0..1: about half of all portraits are below

Measure = Callable[[np.ndarray], dict[str, float]]  # of uint8 images (N, C, H, W): numbers beside test images, by name


def pools(data: Portraits, train: np.ndarray) -> dict[str, np.ndarray]:
    """Training portraits that lack some kinds, chosen by the factors that they were drawn from."""
    people = factors(np.arange(len(train)), data.seed)
    shorn = np.isin(people["hair"], [KINDS["hair"].index(name) for name in SHORN])
    dark = people["hair_colour"].mean(1) < DARK
    return {"only shorn heads": train[shorn], "only dark hair": train[dark]}


def measure(
    subsets: Iterable[np.ndarray], dropped: Mapping[str, np.ndarray], numbers: Measure, bits: int
) -> dict[str, Any]:
    """Each number of corrupted real images, at rising strengths, and of real images as they are: its floor.

    Args:
        subsets: sets of real images (N, C, H, W) other than those that the numbers compare with; the first one is
            corrupted, all of them give the floor.
        dropped: pools of real images that lack some kinds, by name; a rising share of images is taken from one.
        numbers: distances, and shares of images.
        bits: of a pixel.

    Returns:
        The content of corruptions.json, as fvae.results.Corruptions says.
    """
    real = list(subsets)
    tests = CORRUPTIONS | {name: from_pool(pool) for name, pool in dropped.items() if len(pool)}
    floor = by_key([numbers(images) for images in real])
    found: dict[str, Any] = {}
    for name, corruption in progress(tests.items(), desc="corrupting real images", unit="corruption"):
        at_strengths = [numbers(coarse(corruption.apply(real[0], strength), bits)) for strength in corruption.strengths]
        found[name] = {
            "unit": corruption.unit,
            "strengths": list(corruption.strengths),
            "distances": by_key(at_strengths),
        }
    return {
        "images": len(real[0]),
        "floor": {
            name: {"mean": mean(values), "standard_deviation": deviation(values), "subsets": values}
            for name, values in floor.items()
        },
        "corruptions": found,
    }


def from_pool(pool: np.ndarray) -> Corruption:
    """Images in which a rising share is from a pool."""
    return Corruption(lambda images, share: mixed(images, pool, share), SHARES, "share of images")
