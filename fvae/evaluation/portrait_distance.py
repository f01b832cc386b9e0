"""The portrait distance: a Fréchet distance in the features of the network that reads a drawn portrait's factors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fvae.evaluation.factor_reader.network import features, trained
from fvae.evaluation.frechet import frechet, square_root, statistics


class PortraitDistance:
    """The distance of uint8 images (N, 3, H, H) to real ones, whose features are computed once.

    It rises as N falls, also for perfect samples, so that N must be reported with it. It is measured on the CPU: there
    it takes less than a second for 1,000 images, and gives the same number beside any other device.
    """

    def __init__(self, real: np.ndarray) -> None:
        self.reader = trained()
        self.real = statistics(features(self.reader, real))
        self.root = square_root(self.real[1])

    def __call__(self, images: np.ndarray) -> float:
        """The distance. Raises UserError for fewer than two images, and for others than RGB portraits."""
        return self.of_features(features(self.reader, images))

    def of_features(self, found: np.ndarray) -> float:
        """The distance of images whose features (N, 64) are known."""
        return frechet(self.real, self.root, statistics(found))


def floor(test: np.ndarray, subsets: Iterable[np.ndarray]) -> dict[str, Any]:
    """What perfect samples would reach: the distances of sets of other real portraits, (N, 3, H, H) each, to `test`."""
    distance = PortraitDistance(test)
    sets = list(subsets)
    return summary([distance(images) for images in sets]) | {"subsets": len(sets), "images": len(sets[0])}


def summary(distances: list[float]) -> dict[str, float | None]:
    """The mean of several distances, and their standard deviation where there are two or more."""
    deviation = float(np.std(distances, ddof=1)) if len(distances) > 1 else None
    return {"mean": float(np.mean(distances)), "standard_deviation": deviation}
