"""Random features: always the same, numbers by their definitions, and larger distances of worse images."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fvae.data.dataset import random_images
from fvae.data.portraits import draw
from fvae.errors import UserError
from fvae.evaluation.corruptions import CORRUPTIONS
from fvae.evaluation.metrics.random_features import random_features
from fvae.evaluation.random_features import RandomFeatures, features, network

REAL, OTHER = (draw(np.arange(start, start + 300), 32, 5) for start in (0, 300))


@pytest.fixture(scope="module")
def compare():
    return RandomFeatures(REAL)


def by_hand(images):
    """Features by PyTorch's functions, with the weights of the network."""
    *kernels, last = network(32).parameters()
    x = torch.from_numpy(images).float() / 127.5 - 1
    for kernel in kernels:
        x = F.max_pool2d(F.conv2d(x, kernel, padding=1).relu(), 2)
    return (x.flatten(1) @ last.T).double().numpy()


def test_the_weights_are_always_the_same_and_no_other_random_stream_moves():
    before = torch.get_rng_state()
    first, again = network(64), network(64)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(first.parameters(), again.parameters(), strict=True))
    assert not any(weight.requires_grad for weight in first.parameters())


def test_weights_are_as_large_as_he_et_al_say():
    for weight in network(64).parameters():
        assert weight.std().item() == pytest.approx((2 / weight[0].numel()) ** 0.5, rel=0.1)


@pytest.mark.parametrize("side", [8, 16, 24, 64, 128])
def test_images_of_any_size_have_64_features(side):
    images = np.random.default_rng(0).integers(0, 256, (3, 3, side, side), dtype=np.uint8)
    assert features(network(side), images).shape == (3, 64)


def test_the_numbers_are_those_of_their_definitions(compare):
    a, b = by_hand(REAL), by_hand(OTHER)
    a, b = a / a.std(0), b / a.std(0)
    first, second = (np.cov(found, rowvar=False) for found in (a, b))
    roots = np.sqrt(np.linalg.eigvals(first @ second).real.clip(0)).sum()
    distance = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * roots
    apart = np.linalg.norm(a[:, None] - b[None], axis=2)
    own, theirs = (np.sort(np.linalg.norm(x[:, None] - x[None], axis=2), axis=1) for x in (a, b))
    inside = apart < own[:, [5]]
    found = compare(OTHER)
    assert found["frechet"] == pytest.approx(distance, rel=1e-4)
    assert found["precision"] == pytest.approx((apart <= own[:, [3]]).any(0).mean(), abs=0.01)
    assert found["recall"] == pytest.approx((apart <= theirs[:, 3]).any(1).mean(), abs=0.01)
    assert found["density"] == pytest.approx(inside.sum(0).mean() / 5, abs=0.01)
    assert found["coverage"] == pytest.approx(inside.any(1).mean(), abs=0.01)


def test_of_the_real_images_themselves_nothing_is_missing(compare):
    found = compare(REAL)
    assert found.pop("frechet") == pytest.approx(0, abs=1e-3)
    assert found == pytest.approx(dict.fromkeys(("precision", "recall", "density", "coverage"), 1.0), abs=1e-3)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_distance_rises_with_each_corruption(compare, name):
    corruption = CORRUPTIONS[name]
    strengths = corruption.strengths[1::2]
    found = [compare(corruption.apply(OTHER, each))["frechet"] for each in strengths]
    assert np.all(np.diff(found) > 0), found
    assert found[-1] > 1.3 * compare(OTHER)["frechet"]


def test_noise_is_neither_precise_nor_dense(compare):
    found = compare(np.random.default_rng(0).integers(0, 256, REAL.shape, dtype=np.uint8))
    assert found["precision"] == found["density"] == found["coverage"] == 0


def test_copies_of_a_few_images_are_precise_and_cover_little(compare):
    found = compare(np.repeat(OTHER[:10], 30, axis=0))
    usual = compare(OTHER)
    assert found["recall"] < 0.2 * usual["recall"]
    assert found["coverage"] < 0.3 * usual["coverage"]


def test_perfect_samples_of_fewer_images_are_farther(compare):
    assert compare(OTHER[:100])["frechet"] > 1.5 * compare(OTHER)["frechet"]


def test_the_metric_is_of_each_draw_beside_random_test_images():
    draws = np.stack([OTHER[:100], OTHER[100:200] // 2])
    found = random_features(draws, REAL[:200], images=80)
    of_80 = RandomFeatures(random_images(REAL[:200], 80, "evaluate/test"))
    assert found["frechet_draws"] == pytest.approx([of_80(draw[:80])["frechet"] for draw in draws])
    assert found["frechet_draws"][1] > 2 * found["frechet_draws"][0]
    for name in ("frechet", "precision", "recall", "density", "coverage"):
        assert found[name] == pytest.approx(np.mean(found[f"{name}_draws"]))
        assert found[f"{name}_standard_deviation"] == pytest.approx(np.std(found[f"{name}_draws"], ddof=1))
    assert found["images"] == 80
    assert found["network_seed"] == 0


def test_more_images_than_there_are_means_all():
    assert random_features(OTHER[None], REAL[:60], images=1000)["images"] == 60


def test_images_of_another_size_are_one_line(compare):
    with pytest.raises(UserError, match=r"images of shape \(3, 32, 32\) are needed, not \(3, 16, 16\)"):
        compare(OTHER[:, :, ::2, ::2])


def test_grey_real_images_give_numbers():
    grey = np.full((8, 3, 16, 16), 100, np.uint8)
    assert np.isfinite(RandomFeatures(grey)(grey + np.uint8(9))["frechet"])
