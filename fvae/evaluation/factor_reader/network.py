"""The network: images to 64 features, and from these to the factors of a portrait."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from fvae.errors import UserError
from fvae.evaluation.factor_reader.factors import KINDS, WIDTH
from fvae.evaluation.max_pool import MaxPool2x2

SIDE = 32  # pixels
FEATURES = 64
BATCH = 250
WEIGHTS = Path(__file__).with_name("weights.safetensors")
# Of WEIGHTS. Other weights are other code, so that whatever the old ones measured is measured again.
SHA256 = "72ba5755cbf715463ae3978519110caaf3797cd3f59f1cf8a2ac1ee55dd3a763"


class FactorReader(nn.Module):
    """(N, 3, 32, 32) in [-1, 1] → scores of all kinds (N, kinds) and standardised numbers (N, WIDTH).

    The features have no parameters after their BatchNorm: over portraits each has a mean of 0 and a variance of 1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *convolution(3, 24),
            MaxPool2x2(),
            *convolution(24, 48),
            MaxPool2x2(),
            *convolution(48, 64),
            *convolution(64, 64, stride=2),
            nn.Flatten(),
            nn.Linear(64 * (SIDE // 8) ** 2, FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES, affine=False),
        )
        self.kinds = nn.Linear(FEATURES, sum(map(len, KINDS.values())))
        self.numbers = nn.Linear(FEATURES, WIDTH)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of kinds, and standardised numbers."""
        features = self.body(x)
        return self.kinds(features), self.numbers(features)


def convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    """A 3×3 convolution, BatchNorm and ReLU."""
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def trained() -> FactorReader:
    """The network with the weights that belong to this package. Raises UserError where their file is not the one."""
    try:
        data = WEIGHTS.read_bytes()
    except OSError as error:
        raise UserError(f"{WEIGHTS}: cannot be read ({error.strerror}); get it from the repository again") from error
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise UserError(f"{WEIGHTS}: not the weights of this version (SHA-256); get it from the repository again")
    reader = FactorReader()
    try:
        reader.load_state_dict(load(data))
    except (RuntimeError, SafetensorError) as error:
        raise UserError(f"{WEIGHTS}: not of this network; train it again: python -m fvae factor-reader") from error
    return reader.eval().requires_grad_(False)


def pixels_of(images: np.ndarray) -> Tensor:
    """uint8 images (N, 3, H, H) as the network reads them: (N, 3, 32, 32) in [-1, 1].

    Other sizes are brought to 32×32 by area: a pixel is the mean of what it covers. Raises UserError for images of
    another form.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3] or images.dtype != np.uint8:
        raise UserError(f"portraits: uint8 (N, 3, H, H) are needed, not {images.dtype} of shape {images.shape}")
    x = torch.from_numpy(np.array(images)).float() / 127.5 - 1
    if images.shape[2] == SIDE:
        return x
    weights = area_weights(images.shape[2], SIDE)
    return weights @ x @ weights.T


def area_weights(size: int, side: int) -> Tensor:
    """(side, size): the share of each of `size` pixels in each of `side`, by the length that they have in common."""
    ours, theirs = np.arange(side)[:, None] / side, np.arange(size)[None, :] / size
    common = np.minimum(ours + 1 / side, theirs + 1 / size) - np.maximum(ours, theirs)
    return torch.from_numpy(common.clip(0) * side).float()


@torch.no_grad()
def features(reader: FactorReader, images: np.ndarray) -> np.ndarray:
    """The features of uint8 images (N, 3, H, H): (N, 64) float32."""
    parts = range(0, len(images), BATCH)
    return np.concatenate([reader.body(pixels_of(images[start : start + BATCH])).numpy() for start in parts])


@torch.no_grad()
def read(reader: FactorReader, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The kinds (N, factors of KINDS) and the standardised numbers (N, WIDTH) of features (N, 64)."""
    x = torch.from_numpy(features)
    scores = reader.kinds(x).split([len(names) for names in KINDS.values()], dim=1)
    return torch.stack([each.argmax(1) for each in scores], dim=1).numpy(), reader.numbers(x).numpy()


@torch.no_grad()
def confidence(reader: FactorReader, features: np.ndarray) -> np.ndarray:
    """The probability of the kind that is read, the mean over factors, of features (N, 64): (N,) in [0, 1]."""
    scores = reader.kinds(torch.from_numpy(features)).split([len(names) for names in KINDS.values()], dim=1)
    return torch.stack([each.softmax(1).amax(1) for each in scores]).mean(0).numpy()
