"""The Fréchet distance against closed forms and another calculation of the matrix square root."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from fvae.errors import UserError
from fvae.evaluation.frechet import frechet, square_root, statistics

RNG = np.random.default_rng(0)


def distance(real, fake):
    return frechet(real, square_root(real[1]), fake)


def test_independent_features_have_a_closed_form():
    """Σ diagonal: Σ (μ₁ - μ₂)² + (σ₁ - σ₂)²."""
    means, deviations = RNG.normal(size=(2, 7)), RNG.uniform(0.2, 3, (2, 7))
    expected = ((means[0] - means[1]) ** 2 + (deviations[0] - deviations[1]) ** 2).sum()
    real, fake = ((mean, np.diag(deviation**2)) for mean, deviation in zip(means, deviations, strict=True))
    assert distance(real, fake) == pytest.approx(expected, rel=1e-12)


def test_the_trace_is_that_of_scipys_square_root():
    real, fake = (statistics(RNG.normal(size=(50, 6)) @ RNG.normal(size=(6, 6))) for _ in range(2))
    root = sqrtm(real[1] @ fake[1]).real
    expected = ((real[0] - fake[0]) ** 2).sum() + np.trace(real[1] + fake[1] - 2 * root)
    assert distance(real, fake) == pytest.approx(expected, rel=1e-9)
    assert distance(fake, real) == pytest.approx(expected, rel=1e-9)


def test_a_set_is_at_no_distance_from_itself_and_a_shift_is_its_square():
    found = RNG.normal(size=(40, 8))
    real = statistics(found)
    assert distance(real, real) == pytest.approx(0, abs=1e-9)
    assert distance(real, statistics(found + 2)) == pytest.approx(8 * 2**2, rel=1e-9)


def test_fewer_images_than_features_have_a_distance():
    few = statistics(RNG.normal(size=(5, 8)))
    assert distance(few, few) == pytest.approx(0, abs=1e-6)


def test_single_precision_is_raised_to_double():
    found = (1e3 + RNG.normal(size=(1000, 3))).astype(np.float32)
    mean, covariance = statistics(found)
    assert mean.dtype == covariance.dtype == np.float64
    np.testing.assert_allclose(covariance, np.cov(found.astype(np.float64), rowvar=False), rtol=1e-12)


def test_one_image_has_no_covariance():
    with pytest.raises(UserError, match="two images"):
        statistics(np.zeros((1, 5)))
