"""Bits/dim of held-out images: exact for a flow, against a density that is known."""

import math

import numpy as np
import pytest
import torch

from fvae.data.pixels import dequantise
from fvae.evaluation.likelihood import image_bits
from fvae.models.glow import Glow
from fvae.models.vae import VAE
from fvae.seeding import torch_generator

IMAGES = np.random.default_rng(0).integers(0, 256, (150, 3, 8, 8), dtype=np.uint8)
FLOW = {"levels": 1, "steps": 1, "width": 4, "coupling": "affine", "mixing": "shuffle", "actnorm": True}


def test_a_flow_at_its_start_is_a_standard_normal():
    """F a permutation: bits/dim is that of N(0, I) at the dequantised pixels, as NumPy computes it."""
    glow = Glow((3, 8, 8), flow=FLOW)
    bits = image_bits(glow, IMAGES, importance_samples=1, seed=3, quiet=True)
    x = [
        dequantise(torch.from_numpy(IMAGES[i : i + 100]), torch_generator(3, "evaluate/dequantise", i)).numpy()
        for i in (0, 100)
    ]
    squares = np.concatenate(x).astype(np.float64).reshape(150, -1)
    nats = (0.5 * squares**2 + 0.5 * math.log(2 * math.pi)).mean(1)
    np.testing.assert_allclose(bits, nats / math.log(2) + 7, rtol=1e-5)


def test_more_importance_samples_tighten_the_bound():
    torch.manual_seed(0)
    vae = VAE((3, 8, 8), encoder={"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"})
    one, many = (image_bits(vae, IMAGES, importance_samples=k, seed=0, quiet=True).mean() for k in (1, 50))
    assert many < one


def test_the_same_seed_gives_the_same_bits():
    vae = VAE((3, 8, 8), encoder={"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"})
    first, second, other = (image_bits(vae, IMAGES, importance_samples=2, seed=s, quiet=True) for s in (0, 0, 1))
    assert (first == second).all()
    assert first.mean() == pytest.approx(other.mean(), rel=0.05)
    assert (first != other).any()
