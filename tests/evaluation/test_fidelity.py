"""KID, precision, recall, density and coverage against the definitions written out, and where one knows the answer."""

import numpy as np
import pytest
import torch

from fvae.evaluation import fidelity
from fvae.evaluation.fidelity import kid, manifolds, mmd


@pytest.fixture
def rng():
    """Each test has its own, so that its numbers depend on no other test."""
    return np.random.default_rng(0)


def test_mmd_is_its_double_sum(rng):
    x, y = rng.normal(size=(2, 12, 5))

    def kernel(a, b):
        return (a @ b / 5 + 1) ** 3

    pairs = [(i, j) for i in range(12) for j in range(12)]
    within = sum(kernel(x[i], x[j]) + kernel(y[i], y[j]) for i, j in pairs if i != j) / (12 * 11)
    between = sum(kernel(x[i], y[j]) for i, j in pairs) / 144
    assert mmd(torch.from_numpy(x), torch.from_numpy(y)) == pytest.approx(within - 2 * between)


def test_kid_of_one_distribution_is_zero_and_of_two_is_not(rng, monkeypatch):
    monkeypatch.setattr(fidelity, "SUBSET", 300)
    same, again = rng.normal(size=(2, 450, 16))
    mean, deviation = kid(same, again, seed=0)
    assert abs(mean) < 3 * deviation  # subsets of 300 from 450 overlap
    assert kid(same, again, seed=0) == (mean, deviation)
    assert kid(same, again + 0.5, seed=0)[0] > 10 * deviation


def written_out(real, fake):
    """The four of equally many features, pair by pair."""

    def radius(points, i, k):
        return np.sort(np.linalg.norm(points - points[i], axis=1))[k]

    n = len(real)
    distance = np.linalg.norm(real[:, None] - fake[None], axis=2)
    three = [radius(real, i, 3) for i in range(n)]
    theirs = [radius(fake, i, 3) for i in range(n)]
    five = [radius(real, i, 5) for i in range(n)]
    precision = np.mean([any(distance[i, j] <= three[i] for i in range(n)) for j in range(n)])
    recall = np.mean([any(distance[i, j] <= theirs[j] for j in range(n)) for i in range(n)])
    density = np.mean([sum(distance[i, j] < five[i] for i in range(n)) for j in range(n)]) / 5
    coverage = np.mean([any(distance[i, j] < five[i] for j in range(n)) for i in range(n)])
    return precision, recall, density, coverage


@pytest.mark.parametrize("rows", [7, 1000])
def test_they_are_their_definitions_whatever_the_blocks(rng, rows, monkeypatch):
    monkeypatch.setattr(fidelity, "ROWS", rows)
    real, fake = rng.normal(size=(40, 3)), rng.normal(size=(50, 3)) + 1.0
    assert manifolds(real, fake) == pytest.approx(written_out(real, fake[:40]), abs=1e-6)


def test_of_the_same_set_all_is_there(rng):
    real = rng.normal(size=(200, 4))
    found = manifolds(real, real)
    assert found == pytest.approx((1, 1, 1, 1))


def test_of_a_set_far_away_nothing_is(rng):
    assert manifolds(rng.normal(size=(100, 4)), rng.normal(size=(100, 4)) + 100) == (0, 0, 0, 0)


def test_a_set_with_one_of_two_modes_is_precise_and_recalls_half(rng):
    modes = np.repeat([-50.0, 50.0], 150)[:, None]
    real = rng.permutation(rng.normal(size=(300, 4)) + modes)
    found = manifolds(real, rng.normal(size=(300, 4)) + 50)
    assert found.precision > 0.85  # a few lie outside of all neighbourhoods by chance
    assert found.recall == pytest.approx(0.5, abs=0.1)
    assert found.coverage == pytest.approx(0.5, abs=0.1)
