"""Equation (6) against closed forms: the paper's special cases, and distributions whose entropy is known."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from fvae.data.pixels import dequantise, quantise
from fvae.models.glow import Glow
from fvae.models.vae import VAE
from fvae.objective import Posterior, bits_per_dim, importance_weighted, log_normal, objective


def perturbed(model):
    torch.manual_seed(1)
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model


def test_a_gaussian_posterior_gives_reconstruction_plus_kl():
    """With (10), equation (6) averaged over u is the VAE's loss with the KL of (11) and (12) in closed form."""
    vae = perturbed(VAE((3, 4, 4), encoder={"levels": 1, "steps": 1, "expansion": 1.0}))
    x = torch.rand(1, 3, 4, 4, dtype=torch.float64) * 2 - 1
    n = 20_000
    u = torch.randn(n, 12, 2, 2, dtype=torch.float64)
    u = torch.cat([u, -u])
    with torch.no_grad():
        many = x.expand(2 * n, -1, -1, -1)
        losses = objective(vae, many, u)
        z, _, v = vae.posterior(many, u)
        reconstruction = -vae.log_likelihood(many, v)
        mu = vae.encoder(x)
        sigma = (vae.posterior(x, torch.ones_like(mu)).v - mu).abs()
        kl = kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).sum()
        standard_error = (losses - reconstruction).std() / math.sqrt(2 * n)
    assert abs((losses - reconstruction).mean() - kl) < 5 * standard_error
    assert z.shape == (2 * n, 48)


def test_a_flow_gives_its_own_nll_on_noisy_data():
    """With (13), the terms in σ cancel: equation (6) is the NLL of F at x + σu, for every u."""
    glow = perturbed(
        Glow((3, 4, 4), flow={"levels": 1, "steps": 2, "width": 4, "coupling": "affine", "mixing": "conv1x1"})
    )
    x = torch.rand(5, 3, 4, 4, dtype=torch.float64) * 2 - 1
    u = torch.randn_like(x)
    for sigma in (1e-4, 0.1, 2.0):
        glow.log_sigma = math.log(sigma)
        torch.testing.assert_close(objective(glow, x, u), glow.nll(x + sigma * u), rtol=1e-9, atol=1e-6)


class Exact:
    """x ∼ N(0, s² + r²), with its true posterior given: the bound is tight, for every u."""

    s, r = 0.7, 0.3

    def posterior(self, x, u):
        variance = 1 / (1 + self.s**2 / self.r**2)
        z = math.sqrt(variance) * u + variance * self.s / self.r**2 * x
        return Posterior(z, torch.full((len(x),), 0.5 * math.log(variance) * x[0].numel()), z)

    def log_likelihood(self, x, v):
        return Normal(self.s * v, self.r).log_prob(x).flatten(1).sum(1)


def test_with_the_true_posterior_the_bound_is_the_likelihood():
    x = torch.randn(6, 8, dtype=torch.float64)
    losses = torch.stack([objective(Exact(), x, torch.randn_like(x)) for _ in range(4)])
    truth = -Normal(0, math.hypot(Exact.s, Exact.r)).log_prob(x).sum(1)
    for bound in (*losses, importance_weighted(losses)):
        torch.testing.assert_close(bound, truth)


def test_importance_weighting_tightens_the_bound():
    losses = torch.randn(50, 7, dtype=torch.float64)
    bound = importance_weighted(losses)
    assert (bound <= losses.mean(0)).all()
    torch.testing.assert_close(bound, -(torch.exp(-losses).mean(0)).log())


def test_log_normal():
    x = torch.randn(3, 2, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(log_normal(x), Normal(0, 1).log_prob(x).flatten(1).sum(1))


@pytest.mark.parametrize("levels", [256, 8])
def test_bits_of_uniform_pixels_are_their_entropy(levels):
    """Pixels uniform over some levels, with the true density of their dequantisation, cost log2(levels) bits each."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, levels, (10, 3, 8, 8), generator=generator, dtype=torch.uint8)
    x = dequantise(pixels, generator)
    density = 1 / (levels / 128)  # of x on its support
    assert x.min() >= -1
    assert x.max() < -1 + levels / 128
    nats = torch.full((10,), -192 * math.log(density))
    torch.testing.assert_close(bits_per_dim(nats, 192), torch.full((10,), math.log2(levels)))


def test_dequantised_pixels_are_quantised_back():
    pixels = torch.arange(256, dtype=torch.uint8).expand(50, -1)
    assert torch.equal(quantise(dequantise(pixels, torch.Generator().manual_seed(0))), pixels)
    assert quantise(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]
