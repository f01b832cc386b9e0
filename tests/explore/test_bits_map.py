"""Where the bits of an image are: the parts add up, and each stands where its pixels are."""

import numpy as np
import pytest
import torch
from family import SPECS, perturbed

from fvae.explore.bits_map import bits_map
from fvae.library import TrainedModel
from fvae.models.build import build

SIZE = 16
IMAGE = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE), dtype=np.uint8)


def trained(name):
    torch.manual_seed(0)
    return TrainedModel(perturbed(build(SPECS[name], SIZE)).float(), SPECS[name])


@pytest.mark.parametrize("name", SPECS)
def test_pixels_and_latent_add_up_to_the_bits_of_the_image(name):
    model = trained(name)
    found = bits_map(model, IMAGE, seed=3)
    (expected,) = model.bits_per_dim(IMAGE, seed=3)
    assert found.pixels.shape == (SIZE, SIZE)
    assert found.pixels.mean() + found.latent == pytest.approx(expected, rel=1e-6, abs=1e-4)
    assert found.total == pytest.approx(expected, rel=1e-6, abs=1e-4)
    assert (found.latent == 0) == model.model.exact


def test_a_place_that_is_worse_explained_has_more_bits():
    model = trained("vae_dense")
    changed = IMAGE.copy()
    before = bits_map(model, IMAGE).pixels
    changed[:, 5, 9] = np.where(changed[:, 5, 9] < 128, 255, 0)
    rise = bits_map(model, changed).pixels - before
    assert np.unravel_index(np.abs(rise).argmax(), rise.shape) == (5, 9)


def test_a_flow_that_is_the_identity_counts_each_block_of_pixels_for_itself():
    """Without a coupling that sees its neighbours, a changed pixel changes its own block alone."""
    torch.manual_seed(0)
    model = TrainedModel(build(SPECS["nice"], SIZE), SPECS["nice"])
    changed = IMAGE.copy()
    changed[:, 5, 9] ^= 255
    rise = bits_map(model, changed).pixels - bits_map(model, IMAGE).pixels
    rows, columns = np.nonzero(np.abs(rise) > 1e-6)
    assert set(rows) == {4, 5}
    assert set(columns) == {8, 9}
