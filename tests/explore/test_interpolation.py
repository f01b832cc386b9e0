"""Paths and grids between images."""

import numpy as np
import pytest

from fvae.errors import UserError
from fvae.explore.interpolation import grid_weights, interpolation, path_weights


def test_a_path_goes_straight_from_each_image_to_the_next():
    weights = path_weights(3, 5).reshape(2, 5, 3)
    np.testing.assert_allclose(weights.sum(2), 1)
    np.testing.assert_allclose(weights[0, [0, -1]], [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(weights[1, 2], [0, 0.5, 0.5])


def test_a_grid_has_the_images_in_its_corners_and_their_mean_in_the_middle():
    weights = grid_weights(4, 5).reshape(5, 5, 4)
    np.testing.assert_allclose(weights[[0, 0, -1, -1], [0, -1, 0, -1]], np.eye(4))
    np.testing.assert_allclose(weights[2, 2], 0.25)
    np.testing.assert_allclose(weights[0, 2], [0.5, 0.5, 0, 0])


@pytest.mark.parametrize(("form", "n"), [("path", 1), ("grid", 3), ("grid", 2)])
def test_too_few_images_are_refused(form, n):
    with pytest.raises(UserError):
        interpolation(None, np.zeros((n, 3, 8, 8), np.uint8), 5, form)


def test_the_ends_of_a_path_are_reconstructions(catalogue):
    glow = catalogue.model("glow", 0)
    images = np.stack([catalogue.image("held-0"), catalogue.image("held-1")])
    shown = interpolation(glow, images, 3, "path")
    assert shown.shape == (32, 3 * 32 + 2 * 2, 4)
    np.testing.assert_allclose(shown[:, :32, :3].astype(int), images[0].transpose(1, 2, 0), atol=1)
    np.testing.assert_allclose(shown[:, -32:, :3].astype(int), images[1].transpose(1, 2, 0), atol=1)
    assert (shown[:, 32:34, 3] == 0).all()  # the gap is transparent
