"""The portrait distance: small between real sets, and larger the worse images are."""

import numpy as np
import pytest

from fvae.data.dataset import random_images
from fvae.data.portraits import draw
from fvae.evaluation.factor_reader.factors import shares, true_kinds
from fvae.evaluation.factor_reader.network import features, trained
from fvae.evaluation.metrics.portrait_distance import portrait_distance
from fvae.evaluation.portrait_distance import PortraitDistance

SEED = 5
REAL, OTHER = (draw(np.arange(start, start + 300), 32, SEED) for start in (0, 300))


@pytest.fixture(scope="module")
def distance():
    return PortraitDistance(REAL)


def test_the_distance_is_that_of_the_definition(distance):
    """|μ₁ - μ₂|² + Tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½), the trace by the eigenvalues of the product, in float64."""
    a, b = (features(trained(), images).astype(np.float64) for images in (REAL, OTHER))
    first, second = (np.cov(found, rowvar=False) for found in (a, b))
    roots = np.sqrt(np.linalg.eigvals(first @ second).real.clip(0)).sum()
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * roots
    assert distance(OTHER) == pytest.approx(expected, rel=1e-6)
    assert distance(REAL) == pytest.approx(0, abs=1e-6)


def test_other_people_are_near_and_noise_is_far(distance):
    noise = np.random.default_rng(0).integers(0, 256, REAL.shape, dtype=np.uint8)
    assert distance(OTHER) < 8
    assert distance(noise) > 10 * distance(OTHER)


def test_perfect_samples_of_fewer_images_are_farther(distance):
    assert distance(OTHER[:100]) > 1.5 * distance(OTHER)


def test_the_metric_is_of_each_draw_and_counts_kinds_over_all(distance):
    bald = np.flatnonzero(true_kinds(np.arange(1000, 4000), SEED)[:, 0] == 0)[:100] + 1000
    draws = np.stack([draw(bald, 32, SEED), OTHER[:100]])
    found = portrait_distance(draws, REAL[:200], images=100)
    of_100 = PortraitDistance(random_images(REAL[:200], 100, "evaluate/test"))
    assert found["draws"] == pytest.approx([of_100(each) for each in draws])
    assert found["draws"][0] > 1.5 * found["draws"][1]
    assert found["portrait_distance"] == pytest.approx(np.mean(found["draws"]))
    assert found["standard_deviation"] == pytest.approx(np.std(found["draws"], ddof=1))
    assert found["images"] == 100
    usual = shares(true_kinds(np.arange(300, 400), SEED))["hair"]["bald"]
    assert found["shares"]["hair"]["bald"] == pytest.approx((1 + usual) / 2, abs=0.08)  # hats hide some
    truth = shares(true_kinds(np.arange(200), SEED))
    for name in ("hair", "beard", "glasses", "hat"):
        for kind, share in found["shares_of_test_images"][name].items():
            assert share == pytest.approx(truth[name][kind], abs=0.12), (name, kind)


def test_more_images_than_there_are_means_all():
    assert portrait_distance(OTHER[None], REAL[:80], images=1000)["images"] == 80
