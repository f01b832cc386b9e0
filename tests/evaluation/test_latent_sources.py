"""What the flow adds: the latents of each source have the moments that they should have."""

import numpy as np
import pytest
import torch
from family import SPECS

from fvae.evaluation.latent_sources import gaussian_like, images_of_sources, latents_of
from fvae.models.build import build
from fvae.seeding import torch_generator

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), dtype=np.uint8)


def test_a_gaussian_has_the_mean_and_the_full_covariance_of_the_latents():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(4, 4, generator=generator)
    known = torch.randn(500, 4, generator=generator) @ mixing + 3
    drawn = gaussian_like(known, 200_000, generator)
    torch.testing.assert_close(drawn.mean(0), known.mean(0), rtol=0, atol=0.05)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(known.T), rtol=0.03, atol=0.05)


@pytest.mark.parametrize(("name", "sources"), [("vae", 3), ("vae_dense", 3), ("fvae", 4), ("fvae_conv", 4)])
def test_one_sheet_for_each_source(name, sources):
    torch.manual_seed(0)
    model = build(SPECS[name], 8)
    sheets = images_of_sources(model, IMAGES, 6, seed=1)
    assert sheets.shape == (sources, 6, 3, 8, 8)
    assert sheets.dtype == np.uint8
    assert np.array_equal(sheets, images_of_sources(model, IMAGES, 6, seed=1))


def test_latents_are_those_that_the_decoder_sees():
    torch.manual_seed(0)
    model = build(SPECS["fvae"], 8).eval()
    with torch.no_grad():
        found = latents_of(model, IMAGES, torch_generator(0, "test"))
        again = latents_of(model, IMAGES, torch_generator(0, "test"))
    assert found.shape == (40, 192)
    assert torch.equal(found, again)
    assert found.std() > 0.1
