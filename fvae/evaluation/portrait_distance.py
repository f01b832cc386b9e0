"""The portrait distance: a Fréchet distance in the features of the network that reads a drawn portrait's factors."""

from __future__ import annotations

import numpy as np

from fvae.evaluation.factor_reader.network import features, trained
from fvae.evaluation.frechet import frechet, square_root, statistics


class PortraitDistance:
    """The distance of uint8 images (N, 3, H, H) to real ones, whose features are computed once.

    It rises as N falls, also for perfect samples, so that N must be reported with it. It is measured on the CPU: there
    it takes about a second for 1,000 images, and gives the same number beside any other device.
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
