"""Random images of a set: each once, not the first ones, the same for the same name."""

import numpy as np
import pytest

from fvae.data.dataset import random_images, random_subsets
from fvae.errors import UserError

IMAGES = np.arange(100, dtype=np.uint8)[:, None]


def rows(images):
    return images[:, 0].tolist()


def test_they_are_a_random_choice_in_the_order_of_the_set():
    chosen = rows(random_images(IMAGES, 40, "a"))
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 40
    assert 35 < np.mean(chosen) < 65
    assert chosen == rows(random_images(IMAGES, 40, "a"))
    assert chosen != rows(random_images(IMAGES, 40, "b"))


def test_fewer_are_a_part_of_more():
    assert set(rows(random_images(IMAGES, 10, "a"))) < set(rows(random_images(IMAGES, 40, "a")))


def test_where_there_are_no_more_all_are_taken():
    for n in (100, 101):
        assert rows(random_images(IMAGES, n, "a")) == list(range(100))


def test_subsets_have_nothing_in_common_until_all_images_are_used():
    found = [rows(each) for each in random_subsets(IMAGES, 30, 5, "a")]
    assert [len(set(each)) for each in found] == [30] * 5
    assert len({row for each in found[:3] for row in each}) == 90
    assert len({tuple(each) for each in found}) == 5


@pytest.mark.parametrize("n", [0, 101])
def test_more_than_there_are_are_one_line(n):
    with pytest.raises(UserError, match=f"{n} images are needed for a, but there are 100"):
        next(random_subsets(IMAGES, n, 1, "a"))
