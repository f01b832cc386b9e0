"""SWD against a slow, independent calculation, and what it must tell apart."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from fvae.errors import UserError
from fvae.evaluation import swd as module
from fvae.evaluation.swd import laplacian_pyramid, swd

RNG = np.random.default_rng(0)


def faces(n, size=32):
    """Smooth random images."""
    noise = RNG.normal(size=(n, 3, size, size))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, 0, 3, 3))
    return np.clip(128 + 400 * smooth, 0, 255).astype(np.uint8)


def test_the_pyramid_is_that_of_the_authors():
    """Their code's own formulas with SciPy: blur by the binomial kernel, borders mirrored, every other pixel."""
    row = np.array([1, 4, 6, 4, 1]) / 16
    kernel = np.outer(row, row)[None, None]
    images = faces(2, 64).astype(np.float64)
    expected, current = [], images
    while current.shape[-1] > 16:
        smaller = scipy.ndimage.convolve(current, kernel, mode="mirror")[:, :, ::2, ::2]
        spread = np.zeros_like(current)
        spread[:, :, ::2, ::2] = smaller
        expected.append(current - scipy.ndimage.convolve(spread, 4 * kernel, mode="mirror"))
        current = smaller
    expected.append(current)
    for ours, theirs in zip(laplacian_pyramid(torch.from_numpy(images).float()), expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-3)


def test_the_distance_of_shifted_gaussians_is_the_shift():
    """W1 of N(0, 1) and N(m, 1) along a unit direction w is |m·w|; over random directions its mean is known."""
    torch.manual_seed(0)
    dims, shift = 147, 2.0
    a, b = torch.randn(20_000, dims), torch.randn(20_000, dims)
    b[:, 0] += shift
    expected = shift * np.sqrt(2 / (np.pi * dims))  # E|w₁| of a random unit vector, for many dimensions
    assert module.wasserstein(a, b, 0, 0) == pytest.approx(expected, rel=0.15)


def test_a_set_and_itself_and_a_blurred_one():
    images, others = faces(200), faces(200)
    sharp = np.clip(others + RNG.normal(scale=12, size=others.shape), 0, 255).astype(np.uint8)
    same = swd(images, images, patches=16, seed=0)
    alike = swd(images, others, patches=16, seed=0)
    different = swd(images, sharp, patches=16, seed=0)
    assert list(same) == [32, 16]
    assert set(same.values()) == {0.0}
    assert different[32] > 3 * alike[32]
    assert alike == swd(images, others, patches=16, seed=0)
    assert alike != swd(images, others, patches=16, seed=1)


def test_sets_of_different_sizes_are_refused():
    with pytest.raises(UserError, match="same shape"):
        swd(faces(3), faces(4), patches=2, seed=0)
