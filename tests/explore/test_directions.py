"""Directions in the latent of known factors."""

import numpy as np
import pytest

from fvae.data.portraits import factors
from fvae.errors import UserError
from fvae.explore.directions import NAMES, compared, difference, moved, outer


def test_the_portraits_that_are_compared_have_the_factor_or_lack_it():
    people = factors(np.arange(500), 0)
    groups = compared(people)
    assert set(groups) == set(NAMES)
    for has, lacks in groups.values():
        assert has.any()
        assert lacks.any()
        assert not (has & lacks).any()
    has, lacks = groups["glasses"]
    assert set(people["glasses"][has]) == {1, 2, 3}
    assert set(people["glasses"][lacks]) == {0}
    has, lacks = groups["smile"]
    assert people["smile"][has].min() > people["smile"][lacks].max()


def test_outer_numbers_are_equally_many():
    high, low = outer(np.arange(100))
    assert high.sum() == low.sum() == 30
    assert high[70:].all()


def test_a_direction_is_a_difference_of_means():
    z = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    np.testing.assert_allclose(difference(z, z[:, 0] > 0, z[:, 0] == 0, "x"), [2, -4])


def test_a_factor_that_no_image_has_is_said():
    with pytest.raises(UserError, match="hat: there are too few"):
        difference(np.zeros((3, 2)), np.zeros(3, bool), np.ones(3, bool), "hat")


def test_an_image_is_moved_along_a_direction(catalogue):
    model, image = catalogue.model("glow", 0), catalogue.image("held-0")
    known = {"there": model.encode(catalogue.image("held-1"))[0] - model.encode(image)[0]}
    np.testing.assert_allclose(moved(model, image, known, {}).astype(int), image, atol=1)
    there = moved(model, image, known, {"there": 1.0})
    np.testing.assert_allclose(there.astype(int), catalogue.image("held-1"), atol=1)


def test_directions_are_computed_once_for_a_model(catalogue):
    assert catalogue.directions("vae_dense", 0) is catalogue.directions("vae_dense", 0)
    assert set(catalogue.directions("vae_dense", 0)) == set(NAMES)
