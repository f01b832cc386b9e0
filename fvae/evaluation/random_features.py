"""Distances of photographs where no trained network is at hand: in the features of a randomly initialised one.

Naeem et al. 2020 ("Reliable fidelity and diversity metrics for generative models") measure precision, recall, density
and coverage also in such features, which favour no kind of image. These numbers are not FID, and no number of another
network, seed or code can be compared with them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from fvae.evaluation.fidelity import manifolds
from fvae.evaluation.frechet import frechet, square_root, statistics
from fvae.seeding import torch_generator

SEED = 0  # of the weights
WIDTHS = (32, 64, 128, 256)  # channels; each convolution halves the image
LAST_SIDE = 4  # pixels; the features keep where in the image something is
FEATURES = 64
BATCH = 100


def network(side: int) -> nn.Sequential:
    """(N, 3, side, side) in [-1, 1] → (N, 64): 3×3 convolutions of stride 2 with ReLU, and one linear layer.

    Weights are drawn as He et al. 2015 draw them, biases of convolutions from N(0, 0.5²), on the CPU: they are the same
    everywhere.
    """
    generator = torch_generator(SEED, "random_features")
    layers: list[nn.Module] = []
    inputs = 3
    for width in WIDTHS:
        layers += [nn.Conv2d(inputs, width, 3, stride=2, padding=1), nn.ReLU()]
        inputs, side = width, (side + 1) // 2
        if side <= LAST_SIDE:
            break
    layers += [nn.Flatten(), nn.Linear(inputs * side**2, FEATURES, bias=False)]
    with torch.no_grad():
        for layer in layers:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.weight.normal_(0, (2 / layer.weight[0].numel()) ** 0.5, generator=generator)
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                layer.bias.normal_(0, 0.5, generator=generator)
    return nn.Sequential(*layers).eval().requires_grad_(False)


@torch.no_grad()
def features(found: nn.Module, images: np.ndarray) -> np.ndarray:
    """The features of uint8 images (N, 3, H, H): (N, 64) float32, by the network for their size, on the CPU."""
    batches = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return np.concatenate([found(torch.from_numpy(np.array(batch)) / 127.5 - 1).numpy() for batch in batches])


class RandomFeatures:
    """How far sets of uint8 images (N, 3, H, H) are from real ones, whose features are computed once."""

    def __init__(self, real: np.ndarray) -> None:
        self.network = network(real.shape[-1])
        self.features = features(self.network, real)
        self.real = statistics(self.features)
        self.root = square_root(self.real[1])

    def frechet(self, images: np.ndarray) -> float:
        """The Fréchet distance × 10³. Raises UserError for fewer than two images."""
        return 1e3 * frechet(self.real, self.root, statistics(features(self.network, images)))

    def __call__(self, images: np.ndarray) -> dict[str, float]:
        """The Fréchet distance × 10³, precision, recall, density and coverage."""
        found = features(self.network, images)
        distance = 1e3 * frechet(self.real, self.root, statistics(found))
        return {"frechet": distance, **manifolds(self.features, found)._asdict()}
