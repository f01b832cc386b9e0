"""Drawn portraits: a pure function of seed, index and size, with independent factors and the grain they name."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from fvae.data.portraits import canvas, draw, factors, painting, people
from fvae.data.portraits.people import FACTORS, Bell, Uniform
from fvae.errors import UserError


def test_random_words_are_splitmix64() -> None:
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    states = np.array([1234567], dtype=np.uint64) + np.arange(1, 5, dtype=np.uint64) * people.GOLDEN
    assert people._mix(states).tolist() == published


def test_shape_and_type() -> None:
    images = draw([3, 1, 4], 20, seed=0)
    assert images.shape == (3, 3, 20, 20)
    assert images.dtype == np.uint8
    assert draw([], 16, seed=0).shape == (0, 3, 16, 16)


def test_a_portrait_does_not_depend_on_the_others() -> None:
    together = draw(range(40), 32, seed=7)
    order = np.random.default_rng(0).permutation(40)[:17]
    assert np.array_equal(draw(order, 32, seed=7), together[order])
    assert np.array_equal(draw([23], 32, seed=7)[0], together[23])
    assert np.array_equal(draw([9, 9], 32, seed=7), together[[9, 9]])


@pytest.mark.parametrize("chunk", [1, 2**13, 2**20])
def test_a_portrait_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    whole = draw(range(21), 24, seed=1)
    monkeypatch.setattr(painting, "CHUNK", chunk)
    assert np.array_equal(draw(range(21), 24, seed=1), whole)


def extreme(count: int) -> dict[str, np.ndarray]:
    """Factors, of which most are at one of their bounds."""
    rng = np.random.default_rng(0)
    drawn = {}
    for name, kind in FACTORS.items():
        u = rng.random((kind.draws, count))
        if isinstance(kind, Uniform | Bell):
            bounds = rng.integers(0, 2, count) * (1 - 1e-9)
            u = np.where(rng.random(count) < 0.6, bounds, u)
        drawn[name] = kind(u)
    return drawn


@pytest.mark.parametrize(("size", "count"), [(16, 120), (33, 40), (64, 12)])
def test_layers_change_nothing_outside_the_parts_that_they_are_painted_on(
    monkeypatch: pytest.MonkeyPatch, size: int, count: int
) -> None:
    people = extreme(count)
    in_parts = painting._paint(people, size)
    only = canvas.Fields.only
    monkeypatch.setattr(canvas.Fields, "only", lambda fields, near: only(fields, np.ones(fields.shape, bool)))
    assert np.array_equal(painting._paint(people, size), in_parts)


def test_factors_belong_to_the_index() -> None:
    together, alone = factors(range(50), seed=2), factors([31], seed=2)
    assert list(together) == list(FACTORS)
    assert all(np.array_equal(values[31:32], alone[name]) for name, values in together.items())


def test_seeds_and_indices_differ() -> None:
    images = np.concatenate([draw(range(100), 16, seed=0), draw(range(100), 16, seed=1)])
    assert len({hashlib.sha256(image.tobytes()).digest() for image in images}) == 200
    far = draw([2**40, 2**40 + 1], 16, seed=0)
    assert not np.array_equal(far[0], far[1])


def test_another_size_shows_the_same_people() -> None:
    small = draw(range(24), 32, seed=0).astype(float)
    large = draw(range(24), 128, seed=0).astype(float).reshape(24, 3, 32, 4, 32, 4).mean(axis=(3, 5))
    same = np.abs(small - large).mean(axis=(1, 2, 3))
    others = np.abs(small - np.roll(large, 1, axis=0)).mean(axis=(1, 2, 3))
    assert same.max() < 6
    assert others.min() > 3 * same.max()


def test_at_least_twenty_independent_factors() -> None:
    count = 4000
    drawn = factors(range(count), seed=0)
    columns = [v if v.ndim == 1 else v @ [0.3, 0.59, 0.11] for v in drawn.values()]
    correlation = np.corrcoef(np.array(columns, dtype=float)) - np.eye(len(columns))
    assert len(columns) >= 20
    assert np.abs(correlation).max() < 5 / np.sqrt(count)


def test_every_kind_of_hair_appears_as_often_as_its_weight_says() -> None:
    weights = np.array(FACTORS["hair"].weights)
    assert len(weights) == len(painting.STYLES)
    shares = np.bincount(factors(range(20_000), seed=0)["hair"], minlength=len(weights)) / 20_000
    assert np.allclose(shares, weights / weights.sum(), atol=0.012)


def test_bell_has_its_mean_and_deviation() -> None:
    yaw = factors(range(20_000), seed=5)["yaw"]
    assert abs(yaw.mean()) < 4 * 0.17 / np.sqrt(20_000)
    assert yaw.std() == pytest.approx(0.17, rel=0.03)
    assert np.abs(yaw).max() <= 2 * 3**0.5 * 0.17


def test_every_factor_shows_in_the_picture() -> None:
    ours, theirs = factors(range(60), seed=0), factors(range(60, 120), seed=0)
    plain = painting._paint(ours, 16)
    for name in set(FACTORS) - {"grain"}:
        changed = painting._paint(ours | {name: theirs[name]}, 16)
        assert np.abs(changed - plain).max() > 0.01, name


def test_grain_has_the_deviation_that_its_factor_names(monkeypatch: pytest.MonkeyPatch) -> None:
    grainy = draw(range(16), 64, seed=0).astype(float)
    named = factors(range(16), seed=0)["grain"]
    still = {name: values * (name != "grain") for name, values in factors(range(16), seed=0).items()}
    monkeypatch.setattr(painting, "factors", lambda indices, seed: still)
    noise = grainy - draw(range(16), 64, seed=0)
    measured = noise.std(axis=(1, 2, 3))
    assert np.allclose(measured, np.sqrt(named**2 + 1 / 6), rtol=0.05)  # rounding adds 1/12 to each of the two
    assert np.abs(noise.mean(axis=(1, 2, 3))).max() < 0.2
    flat = noise.reshape(16, -1)
    assert np.abs(np.corrcoef(flat) - np.eye(16)).max() < 0.05  # one portrait's grain is not another's
    assert abs(np.corrcoef(noise[..., 1:].ravel(), noise[..., :-1].ravel())[0, 1]) < 0.02


def test_the_range_of_values_is_used_and_not_saturated() -> None:
    images = draw(range(300), 32, seed=0)
    assert np.percentile(images, 2) < 50
    assert np.percentile(images, 98) > 205
    assert np.isin(images, (0, 255)).mean() < 0.01
    assert (images.reshape(300, -1).std(axis=1) > 15).all()


@pytest.mark.parametrize("size", [0, 15, 1025, -32])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(UserError, match="size"):
        draw([0], size, seed=0)


def test_a_negative_index_is_refused() -> None:
    with pytest.raises(UserError, match="numbered from 0"):
        draw([3, -1], 16, seed=0)
