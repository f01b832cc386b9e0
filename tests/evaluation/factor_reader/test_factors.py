"""The factors that are read are those that portraits are drawn from."""

import numpy as np

from fvae.data.portraits import draw, factors
from fvae.data.portraits.painting import STYLES
from fvae.data.portraits.people import FACTORS, Choice
from fvae.evaluation.factor_reader.factors import (
    FIRST,
    KINDS,
    NUMBERS,
    WIDTH,
    kinds,
    mirrored,
    numbers,
    shares,
    true_kinds,
)

PEOPLE = factors(np.arange(2000), 3)


def test_every_kind_of_a_portrait_has_a_name():
    drawn = {name: len(factor.weights) for name, factor in FACTORS.items() if isinstance(factor, Choice)}
    assert {name: len(names) for name, names in KINDS.items()} == drawn
    assert KINDS["hair"] == tuple(STYLES)
    assert all(len(set(names)) == len(names) for names in KINDS.values())


def test_columns_hold_the_factors():
    values = numbers(PEOPLE)
    assert values.shape == (2000, WIDTH)
    for name, width in NUMBERS.items():
        part = values[:, FIRST[name] : FIRST[name] + width]
        np.testing.assert_allclose(part.squeeze(), PEOPLE[name], rtol=1e-6)
    for place, name in enumerate(KINDS):
        np.testing.assert_array_equal(kinds(PEOPLE)[:, place], PEOPLE[name])


def test_shares_are_those_of_the_weights():
    found = shares(kinds(PEOPLE))
    for name, names in KINDS.items():
        weights = np.array(FACTORS[name].weights)
        assert list(found[name]) == list(names)
        np.testing.assert_allclose(list(found[name].values()), weights / weights.sum(), atol=0.04)
        assert abs(sum(found[name].values()) - 1) < 1e-12


def test_true_kinds_are_those_of_the_numbers_that_are_given():
    np.testing.assert_array_equal(true_kinds(np.array([7, 3]), 3), kinds(PEOPLE)[[7, 3]])


def test_a_mirror_turns_the_head_and_the_light():
    """A portrait drawn with a turn, a place and a light of other signs is about its image in a mirror."""
    values = mirrored(numbers(PEOPLE))
    for name in ("x", "yaw", "roll", "light_x", "gradient_x", "parting"):
        np.testing.assert_allclose(values[:, FIRST[name]], -PEOPLE[name], rtol=1e-6)
    np.testing.assert_allclose(values[:, FIRST["smile"]], PEOPLE["smile"], rtol=1e-6)
    left, right = (draw(np.flatnonzero(sign * PEOPLE["light_x"] > 0.7)[:60], 32, 3) for sign in (-1, 1))
    assert left[..., 16:].mean() < left[..., :16].mean()
    assert right[..., 16:].mean() > right[..., :16].mean()
