"""Sharpness: what is blurred scores as blurred, and each number against its own formula."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fvae.data.portraits import draw
from fvae.errors import UserError
from fvae.evaluation.sharpness import high_frequency_db, psnr, spectrum, ssim

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def faces():
    return draw(np.arange(300), 32, 0)


def decibels(images, real):
    return high_frequency_db(spectrum(images), spectrum(real))


def test_blurred_images_score_as_blurred_and_noisy_ones_as_noisy(faces):
    real, other = faces[:150], faces[150:]
    assert abs(decibels(other, real)) < 0.5
    blurred = gaussian_filter(other, (0, 0, 1, 1))
    assert decibels(blurred, real) < -5
    assert decibels(gaussian_filter(other, (0, 0, 2, 2)), real) < decibels(blurred, real)
    noisy = (other + RNG.normal(0, 20, other.shape)).clip(0, 255).astype(np.uint8)
    assert decibels(noisy, real) > 3


@pytest.mark.parametrize("cycles", [3, 8, 14])
def test_a_wave_has_its_power_at_its_frequency(cycles):
    x = np.arange(32)
    wave = 128 + 100 * np.cos(2 * np.pi * cycles * x / 32)
    images = np.broadcast_to(wave, (2, 3, 32, 32)).astype(np.uint8)
    for each in (images, images.swapaxes(2, 3)):
        assert spectrum(each).argmax() == cycles


def test_white_noise_is_flat_and_has_the_window_s_power():
    noise = RNG.integers(0, 256, (2000, 1, 16, 16), dtype=np.uint8)
    power = np.outer(np.hanning(16), np.hanning(16)) ** 2
    np.testing.assert_allclose(spectrum(noise)[2:], power.sum() * (256**2 - 1) / 12, rtol=0.06)


def test_batches_do_not_change_the_spectrum(faces, monkeypatch):
    whole = spectrum(faces)
    monkeypatch.setattr("fvae.evaluation.sharpness.BATCH", 7)
    np.testing.assert_allclose(spectrum(faces), whole)


def test_psnr_of_a_constant_error():
    real = np.full((2, 3, 8, 8), 100, np.uint8)
    assert psnr(real, real + 5) == pytest.approx(20 * np.log10(255 / 5))
    assert psnr(real, real) is None


def test_ssim_is_one_for_the_same_and_falls_with_contrast(faces, monkeypatch):
    """Of one image and itself at another contrast SSIM is the formula's contrast term, constants aside."""
    assert ssim(faces[:5], faces[:5]) == pytest.approx(1)
    halved = ((faces[:5].astype(int) - 128) // 2 + 128).astype(np.uint8)
    assert 0.3 < ssim(faces[:5], halved) < 0.95
    whole = ssim(faces[:20], halved.repeat(4, 0))
    monkeypatch.setattr("fvae.evaluation.sharpness.BATCH", 7)
    assert ssim(faces[:20], halved.repeat(4, 0)) == pytest.approx(whole, rel=1e-5)


def test_ssim_of_constant_images_is_the_formula_s_luminance():
    """(2ab + c) / (a² + b² + c) with c = (0.01 · 255)²; the term of contrast and structure is 1."""
    c = (0.01 * 255) ** 2
    for a, b in ((100, 130), (0, 255), (7, 7)):
        real, images = (np.full((3, 3, 32, 32), value, np.uint8) for value in (a, b))
        assert ssim(real, images) == pytest.approx((2 * a * b + c) / (a * a + b * b + c), rel=1e-3)


def test_of_constant_images_the_power_is_a_finite_number(faces):
    """JSON has no -Infinity."""
    constant = np.full_like(faces[:20], 77)
    assert -200 < decibels(constant, faces[:20]) < -50
    assert decibels(constant, constant) == 0
    assert math.isfinite(decibels(faces[:20], constant))


def test_images_that_are_not_square_are_refused():
    with pytest.raises(UserError, match="square images"):
        spectrum(np.zeros((2, 3, 8, 9), np.uint8))
    with pytest.raises(UserError, match="square images"):
        spectrum(np.zeros((0, 3, 8, 8), np.uint8))
