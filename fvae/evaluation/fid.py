"""The Fréchet Inception distance (Heusel et al. 2017) by the pytorch-fid package, from arrays instead of folders."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_fid.fid_score import calculate_frechet_distance
from pytorch_fid.inception import FIDInceptionA, FIDInceptionC, FIDInceptionE_1, FIDInceptionE_2
from torch import nn
from torchvision.models import inception_v3

from fvae.errors import UserError
from fvae.evaluation.frechet import Statistics, frechet, statistics
from fvae.progress import progress
from fvae.seeding import numpy_generator

BATCH = 50
FEATURES = 2048  # of Inception's last pooling
SIDE = 299  # of Inception's input
POINTS = 5  # of the line that gives FID∞
SUBSET_PER_FEATURE = 2  # images per feature in the smallest subset; with fewer FID is not linear in 1/N
AGREE, ROUNDING = 1e-3, 1e-6  # between two ways to FID: relative to it, and to the covariances' traces


def inception(weights: Path, device: torch.device | str) -> nn.Module:
    """FID's network with the weights of a local file: (N, 3, 299, 299) in [-1, 1] → (N, 2048) pooled features.

    It is put together as pytorch-fid does it, from its blocks and torchvision's network, but nothing is downloaded, and
    nothing but tensors is read from the file. Raises UserError where that is not the state of this network.
    """
    network = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
    network.Mixed_5b = FIDInceptionA(192, pool_features=32)
    network.Mixed_5c = FIDInceptionA(256, pool_features=64)
    network.Mixed_5d = FIDInceptionA(288, pool_features=64)
    network.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
    network.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
    network.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
    network.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
    network.Mixed_7b = FIDInceptionE_1(1280)
    network.Mixed_7c = FIDInceptionE_2(2048)
    try:
        network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    except (OSError, EOFError, RuntimeError, TypeError, UnpicklingError) as error:
        reason = getattr(error, "strerror", None) or "not the state of that network"
        raise UserError(f"{weights}: cannot be read as the weights of FID's network ({reason})") from error
    network.fc = nn.Identity()  # features in place of the logits of classes
    return network.eval().requires_grad_(False).to(device)


@torch.no_grad()
def features(images: np.ndarray, network: nn.Module, device: torch.device | str, batch: int = BATCH) -> np.ndarray:
    """The Inception features of uint8 images (N, 3, H, W): (N, 2048) float32.

    Images are resized and scaled to [-1, 1] as pytorch-fid does it with PNG files. Raises UserError for images that are
    not RGB.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != np.uint8:
        raise UserError(f"FID: uint8 images (N, 3, H, W) are needed, not {images.dtype} of shape {images.shape}")
    found = np.empty((len(images), FEATURES), np.float32)
    for start in progress(range(0, len(images), batch), desc="Inception features", unit="batch"):
        pixels = torch.from_numpy(np.array(images[start : start + batch])).to(device)
        x = F.interpolate(pixels.float() / 255, (SIDE, SIDE), mode="bilinear", align_corners=False)
        found[start : start + batch] = network(2 * x - 1).cpu().numpy()
    return found


def fid(real: Statistics, root: np.ndarray, fake: Statistics) -> float:
    """|μ₁ - μ₂|² + Tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½) of two sets, by pytorch-fid; `root` is Σ₁^½ of the real images.

    Raises UserError where it is not a finite real number, or where SciPy's square root has not converged.
    """
    if not all(np.isfinite(values).all() for values in (*real, *fake)):
        raise UserError("FID: features that are not finite numbers; check the images and the weights")
    try:
        distance = float(calculate_frechet_distance(*real, *fake))
    except ValueError as error:
        raise UserError(f"FID: the covariances have no real square root ({error}); take more images") from error
    if not np.isfinite(distance):
        raise UserError("FID: the distance is not finite; take more images")
    check, scale = frechet(real, root, fake), np.trace(real[1]) + np.trace(fake[1])
    if abs(distance - check) > AGREE * abs(check) + ROUNDING * scale:
        raise UserError(
            f"FID: the matrix square root has not converged: {distance:.6g} by SciPy's, {check:.6g} by eigenvalues; "
            "take more images"
        )
    return distance


def fid_infinity(real: Statistics, root: np.ndarray, fake: np.ndarray, distance: float, seed: int) -> float | None:
    """FID without its bias in the number of samples (Chong & Forsyth 2020), from features (N, D) of samples.

    FID is linear in 1/N to first order. A line is fitted to `distance`, the FID of all N samples, and to the FIDs of
    subsets of N/2 samples or more; its value at 1/N = 0 is returned. FID is not linear where N is near D or less:
    None where N/2 is less than SUBSET_PER_FEATURE · D.
    """
    if len(fake) // 2 < SUBSET_PER_FEATURE * fake.shape[1]:
        return None
    rng = numpy_generator(seed, "fid_infinity")
    inverse = np.linspace(1, 2, POINTS) / len(fake)
    subsets = [fake[rng.choice(len(fake), n, replace=False)] for n in (1 / inverse[1:]).round().astype(int)]
    distances = [distance, *(frechet(real, root, statistics(subset)) for subset in subsets)]
    return float(np.polynomial.Polynomial.fit(inverse, distances, 1)(0.0))
