"""Validations during a training: fresh samples at each step, the same noise of the images at all of them."""

import numpy as np
import pytest
import torch
from family import SPECS, perturbed

from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.sampling import sample
from fvae.evaluation.swd import DistanceTo
from fvae.evaluation.validation import validator
from fvae.models.build import build
from fvae.seeding import torch_generator

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 16, 16), dtype=np.uint8)


@pytest.fixture(scope="module")
def fvae():
    torch.manual_seed(0)
    return perturbed(build(SPECS["fvae"], 16)).float().eval()


def test_samples_are_fresh_at_each_step_and_depend_on_nothing_else(fvae):
    """Also not on earlier validations, which a resumed training has not made."""
    validate = validator(IMAGES, patches=4, seed=0)
    (first, samples), (second, others) = validate(fvae, 10), validate(fvae, 20)
    assert samples.shape == others.shape == IMAGES.shape
    assert (samples != others).mean() > 0.3  # many pixels are black or white
    assert first["swd"] != second["swd"]
    again, same = validator(IMAGES, patches=4, seed=0)(fvae, 20)
    assert again == second
    assert (same == others).all()


def test_bits_per_dim_of_the_same_model_are_the_same_at_each_step(fvae):
    validate = validator(IMAGES, patches=4, seed=0)
    assert validate(fvae, 10)[0]["bpd"] == validate(fvae, 20)[0]["bpd"]
    assert validate(fvae, 10)[0]["bpd"] != validator(IMAGES, patches=4, seed=1)(fvae, 10)[0]["bpd"]


def test_the_distance_is_that_of_the_samples(fvae):
    measured, samples = validator(IMAGES, patches=4, seed=3)(fvae, 10)
    expected = DistanceTo(IMAGES, patches=4, seed=3)(samples)
    assert measured["swd"] == pytest.approx(np.mean(list(expected.values())))
    drawn = sample(fvae, 6, torch_generator(3, "validate/samples", 10), quiet=True)
    assert (samples == drawn).all()


def test_portraits_have_their_distance_too(fvae):
    measured, samples = validator(IMAGES, patches=4, seed=0, portraits=True)(fvae, 10)
    assert measured["portrait_distance"] == PortraitDistance(IMAGES)(samples) > 0
    assert "portrait_distance" not in validator(IMAGES, patches=4, seed=0)(fvae, 10)[0]
