"""Means and deviations over draws; a number that one draw lacks has neither."""

from statistics import stdev

import pytest

from fvae.evaluation.spread import by_key, deviation, mean


def test_the_deviation_is_that_of_a_sample():
    assert mean([1.0, 2.0, 6.0]) == 3.0
    assert deviation([1.0, 2.0, 6.0]) == pytest.approx(stdev([1, 2, 6]))


@pytest.mark.parametrize(("values", "expected"), [([], None), ([2.0], 2.0), ([2.0, None], None), ([None, None], None)])
def test_what_is_missing_has_no_mean_and_one_value_no_deviation(values, expected):
    assert mean(values) == expected
    assert deviation(values) is None


def test_values_by_key():
    assert by_key([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]) == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
