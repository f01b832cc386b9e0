"""Sharpness as power at high frequencies: the radially averaged spectrum of images, compared with real images."""

from __future__ import annotations

import numpy as np

from fvae.errors import UserError

BATCH = 200
LEAST_POWER = 1e-3  # smaller power counts as this; it is far below that of rounding to 8 bits


def spectrum(images: np.ndarray) -> np.ndarray:
    """Mean power of uint8 images (N, C, H, H) at 0, 1, …, H/2 cycles per image, over all directions: (H/2 + 1,).

    The mean of each channel is subtracted, and a Hann window is applied, without which the step from one border to the
    opposite one would count as detail. Raises UserError where the images are not square.
    """
    if images.ndim != 4 or images.shape[2] != images.shape[3] or not len(images):
        raise UserError(f"sharpness: square images (N, C, H, H) are needed, not of shape {images.shape}")
    side = images.shape[2]
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.zeros((side, side))
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH].astype(np.float64)
        part -= part.mean((2, 3), keepdims=True)
        power += (np.abs(np.fft.fft2(part * window)) ** 2).sum((0, 1))
    frequency = np.fft.fftfreq(side, 1 / side)
    radius = np.hypot(*np.meshgrid(frequency, frequency)).round().astype(int).ravel()
    rings = np.bincount(radius, power.ravel()) / np.bincount(radius)
    return rings[: side // 2 + 1] / (len(images) * images.shape[1])


def decibels(rings: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Power relative to that of real images at each frequency, in dB; LEAST_POWER keeps it finite."""
    return 10 * np.log10(rings.clip(LEAST_POWER) / real.clip(LEAST_POWER))


def high_frequency_db(rings: np.ndarray, real: np.ndarray) -> float:
    """The mean of `decibels` over the upper half of the frequencies: 0 is as sharp, below 0 is blurred."""
    upper = slice(len(rings) // 2 + 1, None)
    return float(decibels(rings[upper], real[upper]).mean())


def psnr(real: np.ndarray, images: np.ndarray) -> float | None:
    """The peak signal-to-noise ratio of uint8 images in dB; None where they are equal."""
    error = np.mean((real.astype(np.float64) - images) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else None


def ssim(real: np.ndarray, images: np.ndarray) -> float:
    """The mean structural similarity (Wang et al. 2004) of uint8 images (N, C, H, W)."""
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    total = 0.0
    for start in range(0, len(real), BATCH):
        part = slice(start, start + BATCH)
        a, b = (torch.from_numpy(np.array(each[part])).float() for each in (images, real))
        total += float(structural_similarity_index_measure(a, b, data_range=255.0, reduction="sum"))  # type: ignore[arg-type]
    return total / len(real)
