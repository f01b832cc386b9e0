"""The tab Directions: what changes in a latent where a portrait has glasses, a beard, a smile or another hair colour.

A direction is a difference of two mean latents of training portraits, whose factors are known since they were drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fvae.data.portraits import factors
from fvae.errors import UserError
from fvae.evaluation.factor_reader.factors import KINDS
from fvae.library import TrainedModel

TRAINING_IMAGES = 600  # whose latents are averaged
OUTER = 0.3  # of a number, such as the smile, the upper share is compared with the lower
NAMES = {
    "glasses": "glasses",
    "beard": "beard",
    "smile": "smile",
    "fair_hair": "fair hair",
    "long_hair": "long hair",
    "hat": "hat",
}
LONG_HAIR = ("bob", "long", "wavy", "fringe")


def directions(trained: TrainedModel, images: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """The direction of each of NAMES in the latent, float32 (d,), from portraits without it to those with it.

    `images` are the first of the training set, uint8 (N, 3, H, W), and `seed` is the one that they were drawn from.
    Raises UserError where too few of them have a factor, or lack it.
    """
    people = factors(np.arange(len(images)), seed)
    z = trained.encode(images)
    return {name: difference(z, *groups, name) for name, groups in compared(people).items()}


def compared(people: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each of NAMES, which portraits have it and which lack it: bool (N,) each."""
    with_beard = [KINDS["beard"].index(kind) for kind in ("full", "chin")]
    hair = np.isin(people["hair"], [KINDS["hair"].index(kind) for kind in LONG_HAIR])
    with_glasses = [KINDS["glasses"].index(kind) for kind in ("round", "square", "dark")]
    return {
        "glasses": (np.isin(people["glasses"], with_glasses), people["glasses"] == KINDS["glasses"].index("none")),
        "beard": (np.isin(people["beard"], with_beard), people["beard"] == KINDS["beard"].index("none")),
        "smile": outer(people["smile"]),
        "fair_hair": outer(people["hair_colour"].mean(1)),
        "long_hair": (hair, ~hair),
        "hat": (people["hat"] == 1, people["hat"] == 0),
    }


def outer(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which numbers are among the largest and which are among the smallest: bool (N,) each."""
    low, high = np.quantile(numbers, [OUTER, 1 - OUTER])
    return numbers > high, numbers < low


def difference(z: np.ndarray, has: np.ndarray, lacks: np.ndarray, name: str) -> np.ndarray:
    """The mean of some latents (N, d) less the mean of others: (d,)."""
    if not has.any() or not lacks.any():
        raise UserError(f"{name}: there are too few training images to compare those with it and those without")
    return z[has].mean(0) - z[lacks].mean(0)


def moved(
    trained: TrainedModel, image: np.ndarray, known: Mapping[str, np.ndarray], amounts: Mapping[str, float]
) -> np.ndarray:
    """An image (3, H, W) decoded from its latent after so much of each direction is added: uint8 (3, H, W).

    Raises UserError for an unknown direction.
    """
    if unknown := set(amounts) - set(known):
        raise UserError(f"amounts: '{unknown.pop()[:40]}' is not one of {', '.join(known)}")
    z = trained.encode(image)[0]
    for name, amount in amounts.items():
        z = z + np.float32(amount) * known[name]
    return trained.decode(z)[0]
