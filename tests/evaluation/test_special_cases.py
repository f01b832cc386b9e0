"""Claim (d) on models: equal where they are special cases, and not where the loss is made wrong."""

import numpy as np
import pytest
import torch
from family import SPECS, perturbed

from fvae.evaluation.metrics.special_case import special_case
from fvae.models.build import build

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 8, 8), dtype=np.uint8)


@pytest.mark.parametrize("name", ["vae", "vae_reduced", "nice", "realnvp", "glow"])
def test_equal_away_from_the_start(name):
    torch.manual_seed(0)
    found = special_case(perturbed(build(SPECS[name], 8)).float(), IMAGES, seed=0)
    assert found["difference"] < 1e-9 * abs(found["nats"])
    assert found["images"] == 6


@pytest.mark.parametrize("name", ["vae", "glow"])
def test_a_wrong_posterior_is_noticed(name, monkeypatch):
    model = perturbed(build(SPECS[name], 8)).float()
    right = type(model).posterior

    def wrong(self, x, u):
        z, logdet, v = right(self, x, u)
        return type(right(self, x, u))(z, logdet + 0.01, v)

    monkeypatch.setattr(type(model), "posterior", wrong)
    assert special_case(model, IMAGES, seed=0)["difference"] == pytest.approx(0.01, rel=1e-3)
