"""Sharpness: power at high frequencies beside that of real images, and the share of detail that is reconstructed."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from fvae.errors import UserError

BATCH = 200
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # of SSIM, for levels from 0 to 255
LEAST_POWER = 1e-3  # smaller power counts as this; it is far below that of rounding to 8 bits


def spectrum(images: np.ndarray) -> np.ndarray:
    """Mean power of uint8 images (N, C, H, H) at 0, 1, …, H/2 cycles per image, over all directions: (H/2 + 1,).

    Raises UserError where the images are not square.
    """
    return cross_spectrum(images, images)


def cross_spectrum(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The mean of Re I(f) conj(O(f)) over pairs of uint8 images (N, C, H, H) each, in rings as `spectrum`: (H/2 + 1,).

    The mean of each channel is subtracted, and a Hann window is applied, without which the step from one border to the
    opposite one would count as detail. Raises UserError where the images are not square or not pairs.
    """
    if images.ndim != 4 or images.shape[2] != images.shape[3] or not len(images):
        raise UserError(f"sharpness: square images (N, C, H, H) are needed, not of shape {images.shape}")
    if images.shape != others.shape:
        raise UserError(f"sharpness: images of shapes {images.shape} and {others.shape} are no pairs")
    side = images.shape[2]
    power = np.zeros((side, side))
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        first = _fourier(images[part])
        second = first if others is images else _fourier(others[part])
        power += (first * second.conj()).real.sum((0, 1))
    frequency = np.fft.fftfreq(side, 1 / side)
    radius = np.hypot(*np.meshgrid(frequency, frequency)).round().astype(int).ravel()
    rings = np.bincount(radius, power.ravel()) / np.bincount(radius)
    return rings[: side // 2 + 1] / (len(images) * images.shape[1])


def _fourier(images: np.ndarray) -> np.ndarray:
    """The transform of each channel without its mean, in a Hann window."""
    window = np.hanning(images.shape[2])
    values = images.astype(np.float64)
    return np.fft.fft2((values - values.mean((2, 3), keepdims=True)) * np.outer(window, window))


def decibels(rings: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Power relative to that of real images at each frequency, in dB; LEAST_POWER keeps it finite."""
    return 10 * np.log10(rings.clip(LEAST_POWER) / real.clip(LEAST_POWER))


def high_frequency_db(rings: np.ndarray, real: np.ndarray) -> float:
    """The mean of `decibels` over the upper half of the frequencies: below 0 there is less power than in real images.

    That is no measure of blur where images may be noisy: noise adds power.
    """
    return float(upper(decibels(rings, real)).mean())


def deviation_db(rings: np.ndarray, real: np.ndarray) -> float:
    """The mean of the absolute `decibels` over the upper half: too much power counts as too little does."""
    return float(np.abs(upper(decibels(rings, real))).mean())


def transfer(reconstructions: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The share of each frequency of uint8 images that their reconstructions keep, in rings as `spectrum`: (H/2 + 1,).

    Re Σ R(f) conj(X(f)) / Σ |X(f)|², the slope of a regression of the reconstructions R on the images X. Blur lowers
    it; noise that is independent of the images adds nothing to it.
    """
    return cross_spectrum(reconstructions, real) / spectrum(real).clip(LEAST_POWER)


def detail(transferred: np.ndarray) -> float:
    """The mean of `transfer` over the upper half of the frequencies: 1 keeps all detail, 0 keeps none."""
    return float(upper(transferred).mean())


def upper(rings: np.ndarray) -> np.ndarray:
    """The upper half of the frequencies."""
    return rings[len(rings) // 2 + 1 :]


def psnr(real: np.ndarray, images: np.ndarray) -> float | None:
    """The peak signal-to-noise ratio of uint8 images in dB; None where they are equal."""
    error = np.mean((real.astype(np.float64) - images) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else None


def ssim(real: np.ndarray, images: np.ndarray) -> float:
    """The mean structural similarity (Wang et al. 2004) of uint8 images (N, C, H, W).

    Windows are Gaussian, of 11×11 pixels with σ = 1.5; beyond the borders images are mirrored.
    """
    total = 0.0
    for start in range(0, len(real), BATCH):
        a, b = (each[start : start + BATCH].astype(np.float64) for each in (real, images))
        mean_a, mean_b = _local_mean(a), _local_mean(b)
        variances = _local_mean(a * a + b * b) - mean_a**2 - mean_b**2
        covariance = _local_mean(a * b) - mean_a * mean_b
        luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
        total += (luminance * (2 * covariance + C2) / (variances + C2)).mean((1, 2, 3)).sum()
    return float(total / len(real))


def _local_mean(values: np.ndarray) -> np.ndarray:
    """The mean in the window around each pixel."""
    return gaussian_filter(values, (0, 0, 1.5, 1.5), radius=5, mode="mirror")
