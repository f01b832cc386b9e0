"""The nearest training images are found, mirrored ones too."""

import numpy as np

from fvae.paper import neighbours
from fvae.paper.neighbours import nearest


def test_copies_and_mirrored_copies_are_found(monkeypatch):
    monkeypatch.setattr(neighbours, "AT_ONCE", 7)
    rng = np.random.default_rng(0)
    train = rng.integers(0, 256, (30, 3, 8, 8), dtype=np.uint8)
    noise = rng.integers(0, 3, (2, 3, 8, 8), dtype=np.uint8)
    samples = np.stack([train[17], train[23][..., ::-1]]) // 2 * 2 + noise % 2
    found = nearest(samples, train, 2)
    assert found.shape == (2, 2, 3, 8, 8)
    np.testing.assert_array_equal(found[0, 0], train[17])
    np.testing.assert_array_equal(found[1, 0], train[23][..., ::-1])
    both = np.concatenate([train, train[..., ::-1]]).astype(float)
    distances = ((both - samples[0]) ** 2).sum((1, 2, 3))
    second = np.sort(np.minimum(distances[:30], distances[30:]))[1]
    assert ((found[0, 1].astype(float) - samples[0]) ** 2).sum() == second
