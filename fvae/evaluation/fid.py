"""The Fréchet Inception distance (Heusel et al. 2017) by the pytorch-fid package, from arrays instead of folders."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from unittest.mock import patch

import numpy as np
import pytorch_fid.inception
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from pytorch_fid.inception import InceptionV3

from fvae.errors import UserError
from fvae.progress import progress

BATCH = 50
Statistics = tuple[np.ndarray, np.ndarray]


def inception(weights: Path, device: torch.device | str) -> InceptionV3:
    """pytorch-fid's network up to its 2048 pooled features, with the weights of a local file.

    Nothing is downloaded. Raises UserError where the file cannot be read as weights of this network.
    """

    def from_file(*args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:
        return torch.load(weights, weights_only=True, map_location="cpu")

    try:
        with patch.object(pytorch_fid.inception, "load_state_dict_from_url", from_file):
            network = InceptionV3([InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    except (OSError, EOFError, RuntimeError, TypeError, UnpicklingError) as error:
        reason = getattr(error, "strerror", None) or "not the state of that network"
        raise UserError(f"{weights}: cannot be read as the weights of FID's network ({reason})") from error
    return network.eval().to(device)


@torch.no_grad()
def statistics(images: np.ndarray, network: InceptionV3, device: torch.device | str, batch: int = BATCH) -> Statistics:
    """Mean (2048) and covariance (2048, 2048) of the features of uint8 images (N, 3, H, W).

    The network gets what pytorch-fid gives it for PNG files, [0, 1], and itself resizes to 299×299 and scales to
    [-1, 1]. Raises UserError for fewer than two images, and for images that are not RGB.
    """
    if len(images) < 2:
        raise UserError(f"FID: at least two images are needed, not {len(images)}")
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != np.uint8:
        raise UserError(f"FID: uint8 images (N, 3, H, W) are needed, not {images.dtype} of shape {images.shape}")
    features = np.empty((len(images), 2048))
    for start in progress(range(0, len(images), batch), desc="Inception features", unit="batch"):
        pixels = torch.from_numpy(np.array(images[start : start + batch])).to(device)
        features[start : start + batch] = network(pixels.float() / 255)[0].flatten(1).cpu().numpy()
    return features.mean(0), np.cov(features, rowvar=False)


def fid(real: Statistics, fake: Statistics) -> float:
    """|μ₁ - μ₂|² + Tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½) of two sets. Raises UserError where it is not a finite real number."""
    if not all(np.isfinite(values).all() for values in (*real, *fake)):
        raise UserError("FID: features that are not finite numbers; are the images and the weights sound?")
    try:
        distance = float(calculate_frechet_distance(*real, *fake))
    except ValueError as error:
        raise UserError(f"FID: the covariances have no real square root ({error}); take more images") from error
    if not np.isfinite(distance):
        raise UserError("FID: the distance is not finite; take more images")
    return distance
