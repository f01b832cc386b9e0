"""Sharpness: what is blurred scores as blurred, and each number against its own formula."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fvae.data.portraits import draw
from fvae.errors import UserError
from fvae.evaluation.sharpness import (
    cross_spectrum,
    detail,
    deviation_db,
    high_frequency_db,
    psnr,
    spectrum,
    ssim,
    transfer,
)

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


def noisy(images, deviation):
    return (images + RNG.normal(0, deviation, images.shape)).round().clip(0, 255).astype(np.uint8)


def test_blurred_and_noisy_images_read_as_blurred(faces):
    """Noise brings back the power that blur took, and none of the detail."""
    blurred = gaussian_filter(faces.astype(float), (0, 0, 0.7, 0.7)).round().astype(np.uint8)
    both = noisy(blurred, 16)
    assert decibels(blurred, faces) < -5
    assert decibels(both, faces) > -1  # power alone would call it sharp
    assert detail(transfer(blurred, faces)) < 0.5
    assert detail(transfer(both, faces)) == pytest.approx(detail(transfer(blurred, faces)), abs=0.03)
    assert detail(transfer(noisy(faces, 10), faces)) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("sigma", [0.4, 0.8])
def test_the_transfer_of_a_blur_is_the_filter_s_own_response(sigma):
    """Of noise, which has all frequencies; the response is the transform of a blurred point, averaged over a ring."""
    images = RNG.integers(0, 256, (400, 1, 32, 32), dtype=np.uint8)
    blurred = gaussian_filter(images.astype(float), (0, 0, sigma, sigma), mode="wrap").round().astype(np.uint8)
    point = np.zeros((32, 32))
    point[0, 0] = 1
    response = np.fft.fft2(gaussian_filter(point, sigma, mode="wrap")).real
    found = transfer(blurred, images)
    for radius in range(3, 17):
        ring = [
            response[row, column]
            for row in range(32)
            for column in range(32)
            if round(math.hypot(min(row, 32 - row), min(column, 32 - column))) == radius
        ]
        assert found[radius] == pytest.approx(np.mean(ring), abs=0.03)


def test_the_transfer_of_a_scaled_image_is_the_scale_and_of_another_image_is_none(faces):
    halved = (faces.astype(float) / 2).round().astype(np.uint8)
    np.testing.assert_allclose(transfer(halved, faces), 0.5, atol=0.01)
    np.testing.assert_allclose(transfer(faces, faces), 1)
    assert abs(detail(transfer(faces[::-1], faces))) < 0.05
    assert detail(transfer(255 - faces, faces)) == pytest.approx(-1, abs=0.01)


def test_the_cross_spectrum_is_the_sum_over_pairs_of_its_formula(faces, monkeypatch):
    real, other = faces[:9], faces[9:18]
    monkeypatch.setattr("fvae.evaluation.sharpness.BATCH", 4)
    window = np.hanning(32)[:, None] * np.hanning(32)
    products = np.zeros(17)
    counts = np.zeros(17)
    for a, b in zip(real.reshape(-1, 32, 32).astype(float), other.reshape(-1, 32, 32).astype(float), strict=True):
        f, g = (np.fft.fft2((image - image.mean()) * window) for image in (a, b))
        for row in range(32):
            for column in range(32):
                radius = round(math.hypot(min(row, 32 - row), min(column, 32 - column)))
                if radius <= 16:
                    products[radius] += f[row, column].real * g[row, column].real
                    products[radius] += f[row, column].imag * g[row, column].imag
                    counts[radius] += 1
    np.testing.assert_allclose(cross_spectrum(real, other), products / counts, rtol=1e-9, atol=1e-6)


def test_the_deviation_counts_too_much_power_as_too_little(faces):
    real, other = spectrum(faces[:150]), spectrum(faces[150:])
    assert deviation_db(other, real) < 0.5
    blurred = spectrum(gaussian_filter(faces[150:], (0, 0, 1, 1)))
    assert deviation_db(blurred, real) == pytest.approx(-high_frequency_db(blurred, real))
    rough = spectrum(noisy(faces[150:], 20))
    assert deviation_db(rough, real) == pytest.approx(high_frequency_db(rough, real))
    assert deviation_db(rough, real) > 3
    uneven = real * np.where(np.arange(17) % 2, 4, 0.25)  # missing in one ring, too much in the next
    assert high_frequency_db(uneven, real) == pytest.approx(0)
    assert deviation_db(uneven, real) == pytest.approx(20 * np.log10(2))


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


def test_ssim_is_that_of_scikit_image(faces):
    """With the settings of Wang et al. 2004. Theirs leaves out 5 pixels at the border, which are mirrored here."""
    from skimage.metrics import structural_similarity

    noisy = (faces[:6] + 20 * np.random.default_rng(0).standard_normal(faces[:6].shape)).clip(0, 255).astype(np.uint8)
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255.0}
    wide = [np.pad(images.astype(float), ((0, 0), (0, 0), (5, 5), (5, 5)), "reflect") for images in (faces[:6], noisy)]
    theirs = np.mean([structural_similarity(*pair, channel_axis=0, **wang) for pair in zip(*wide, strict=True)])
    assert ssim(faces[:6], noisy) == pytest.approx(theirs, rel=1e-6)


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
    with pytest.raises(UserError, match="no pairs"):
        transfer(np.zeros((2, 3, 8, 8), np.uint8), np.zeros((3, 3, 8, 8), np.uint8))
