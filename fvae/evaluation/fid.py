"""The Fréchet Inception distance by the pytorch-fid package, from arrays instead of folders."""

from __future__ import annotations

from pathlib import Path
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
    """pytorch-fid's network, its pooled 2048 features, with the weights of a local file."""

    def from_file(*args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:
        return torch.load(weights, weights_only=True, map_location="cpu")

    with patch.object(pytorch_fid.inception, "load_state_dict_from_url", from_file):
        network = InceptionV3([InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    return network.eval().to(device)


@torch.no_grad()
def statistics(images: np.ndarray, network: InceptionV3, device: torch.device | str) -> Statistics:
    """Mean and covariance of the features of uint8 images (N, 3, H, W), read as pytorch-fid reads PNG files."""
    if len(images) < 2:
        raise UserError(f"FID: at least two images are needed, not {len(images)}")
    features = np.empty((len(images), 2048))
    for start in progress(range(0, len(images), BATCH), desc="Inception features", unit="batch"):
        batch = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        features[start : start + BATCH] = network(batch.float() / 255)[0].flatten(1).cpu().numpy()
    return features.mean(0), np.cov(features, rowvar=False)


def fid(real: Statistics, fake: Statistics) -> float:
    """The distance of two Gaussians. Raises UserError where it is not finite."""
    distance = float(calculate_frechet_distance(*real, *fake))
    if not np.isfinite(distance):
        raise UserError("FID: the distance is not finite; are there too few images?")
    return distance
