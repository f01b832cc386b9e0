"""Distances in the features of a randomly initialised network: small between real sets, larger the worse images are."""

import numpy as np
import pytest
import torch

from fvae.data.portraits import draw
from fvae.evaluation.corruptions import CORRUPTIONS
from fvae.evaluation.fidelity import manifolds
from fvae.evaluation.metrics.random_features import over_sets
from fvae.evaluation.random_features import RandomFeatures, features, network

REAL, OTHER = (draw(np.arange(start, start + 300), 32, 5) for start in (0, 300))


@pytest.fixture(scope="module")
def compare():
    return RandomFeatures(REAL)


def test_the_weights_are_the_same_whatever_was_drawn_before():
    first = network(64).state_dict()
    torch.rand(3)
    for name, weights in network(64).state_dict().items():
        assert torch.equal(weights, first[name])


@pytest.mark.parametrize("side", [16, 32, 64, 128])
def test_each_size_of_images_has_64_features(side):
    images = np.random.default_rng(0).integers(0, 256, (3, 3, side, side), dtype=np.uint8)
    found = features(network(side), images)
    assert found.shape == (3, 64)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_the_distance_is_that_of_the_definition(compare):
    """|μ₁ - μ₂|² + Tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½), the trace by the eigenvalues of the product, in float64."""
    a, b = (features(network(32), images).astype(np.float64) for images in (REAL, OTHER))
    first, second = (np.cov(found, rowvar=False) for found in (a, b))
    roots = np.sqrt(np.linalg.eigvals(first @ second).real.clip(0)).sum()
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * roots
    found = compare(OTHER)
    assert found["frechet"] == pytest.approx(1e3 * expected, rel=1e-5)
    assert found["frechet"] == pytest.approx(compare.frechet(OTHER))
    assert compare.frechet(REAL) == pytest.approx(0, abs=1e-2)
    shares = manifolds(features(network(32), REAL), features(network(32), OTHER))._asdict()
    assert {name: found[name] for name in shares} == shares


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_strongest_corruption_is_farther_than_the_weakest(compare, name):
    corruption = CORRUPTIONS[name]
    weakest, strongest = (compare(corruption.apply(OTHER, corruption.strengths[place])) for place in (0, -1))
    assert strongest["frechet"] > 1.3 * weakest["frechet"]
    assert strongest["frechet"] > 1.3 * compare.frechet(OTHER)


def test_noise_is_neither_precise_nor_dense(compare):
    noise = np.random.default_rng(0).integers(0, 256, REAL.shape, dtype=np.uint8)
    found = compare(noise)
    assert found["precision"] == found["density"] == found["coverage"] == 0
    assert compare(OTHER)["precision"] > 0.5
    assert compare(OTHER)["coverage"] > 0.5


def test_numbers_over_draws_are_means_with_their_deviations(compare):
    found = over_sets([compare(OTHER[:150]), compare(OTHER[150:])], images=150)
    assert found["frechet"] == pytest.approx(np.mean(found["frechet_draws"]))
    assert found["frechet_standard_deviation"] == pytest.approx(np.std(found["frechet_draws"], ddof=1))
    assert found["images"] == 150
    assert found["network_seed"] == 0
