"""How sure the network that reads factors is along a path between two portraits."""

import numpy as np
import pytest

from fvae.data import portraits
from fvae.evaluation.metrics.interpolation import confidence_along

FACES = portraits.draw(range(40), 32, 0).reshape(20, 2, 3, 32, 32)


def path(between):
    """Pairs with the same image at every step between their ends."""
    return np.concatenate([FACES[:, :1], between, FACES[:, 1:]], axis=1)


def test_portraits_are_read_with_more_confidence_than_a_fade_of_their_pixels():
    others = portraits.draw(range(100, 160), 32, 0).reshape(20, 3, 3, 32, 32)
    found = confidence_along(path(others))
    assert len(found["model"]) == len(found["cross_fade"]) == 3
    assert found["model"][1] == pytest.approx(found["real"], abs=0.05)
    assert found["cross_fade"][1] < found["real"] - 0.02
    assert np.mean([found["cross_fade"][0], found["cross_fade"][-1]]) == pytest.approx(found["real"], abs=1e-6)


def test_of_faded_pixels_both_curves_are_the_same():
    t = np.linspace(0, 1, 5)[None, :, None, None, None]
    faded = np.rint((1 - t) * FACES[:, :1] + t * FACES[:, 1:]).astype(np.uint8)
    found = confidence_along(path(faded))
    assert found["model"] == pytest.approx(found["cross_fade"])
