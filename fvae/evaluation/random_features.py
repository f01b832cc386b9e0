"""Distances where no trained network is at hand: in the features of a randomly initialised one.

Naeem et al. 2020 ("Reliable fidelity and diversity metrics for generative models") measure in the features of a VGG-16
with random weights where those of a trained network do not suit the images. Theirs is too slow for tens of thousands of
images on a CPU. This network is smaller, and docs/protocol.md says why it was taken. Its distances are not FID.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from fvae.errors import UserError
from fvae.evaluation.fidelity import manifolds
from fvae.evaluation.frechet import frechet, square_root, statistics
from fvae.evaluation.max_pool import MaxPool2x2
from fvae.seeding import torch_generator

SEED = 0  # of the weights
WIDTHS = (16, 32, 64, 128)  # channels of each convolution
LAST_SIDE = 4  # pixels; a map of this size is halved no more, so that features know where in the image something is
FEATURES = 64
BATCH = 100


def network(side: int) -> nn.Sequential:
    """(N, 3, side, side) in [-1, 1] → (N, 64): 3×3 convolutions, each with ReLU and a 2×2 maximum; then a linear layer.

    The weights are drawn as He et al. 2015 say, from a random stream of their own. At 64×64 an image costs 16 million
    multiply-accumulates.
    """
    layers: list[nn.Module] = []
    channels = 3
    with torch.random.fork_rng(devices=[]):  # PyTorch's global generator stays as it is
        for width in WIDTHS:
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.ReLU(), MaxPool2x2()]
            channels, side = width, side // 2
            if side <= LAST_SIDE:
                break
        layers += [nn.Flatten(), nn.Linear(channels * side**2, FEATURES, bias=False)]
    generator = torch_generator(SEED, "random_features")
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, generator=generator)
    return nn.Sequential(*layers).requires_grad_(False)


@torch.no_grad()
def features(random: nn.Module, images: np.ndarray) -> np.ndarray:
    """The features of uint8 images (N, 3, H, H): (N, 64) float32, on the CPU, by the network for their size."""
    batches = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return np.concatenate([random(torch.from_numpy(np.array(batch)).float() / 127.5 - 1).numpy() for batch in batches])


class RandomFeatures:
    """How far sets of uint8 images (N, 3, H, H) are from real ones, whose features are computed once.

    Each feature is divided by its standard deviation over the real images: a shift of one feature by that adds 1 to the
    Fréchet distance. The distance rises as N falls, also for perfect samples, so that N must be reported with it.
    """

    def __init__(self, real: np.ndarray) -> None:
        self.shape = real.shape[1:]
        self.network = network(real.shape[-1])
        found = features(self.network, real)
        deviations = found.std(0)
        self.scale = np.where(deviations > 0, deviations, 1)
        self.features = found / self.scale
        self.real = statistics(self.features)
        self.root = square_root(self.real[1])

    def __call__(self, images: np.ndarray) -> dict[str, float]:
        """The Fréchet distance, precision, recall, density and coverage, by name.

        Raises UserError for fewer than two images, and for images of another shape than the real ones.
        """
        if images.shape[1:] != self.shape:
            raise UserError(f"random features: images of shape {self.shape} are needed, not {images.shape[1:]}")
        found = features(self.network, images) / self.scale
        distance = frechet(self.real, self.root, statistics(found))
        return {"frechet": distance, **manifolds(self.features, found)._asdict()}
