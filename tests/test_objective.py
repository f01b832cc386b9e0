"""Equation (6) against closed forms: the paper's special cases, and distributions whose entropy is known."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from fvae.data.levels import coarse
from fvae.data.pixels import centre, dequantise, quantise
from fvae.flows.conditional import ConditionalAffine
from fvae.models.base import log_normal_around
from fvae.models.flow import FlowModel
from fvae.models.fvae import FVAE
from fvae.models.iaf import IAF
from fvae.models.mixture import Mixture
from fvae.models.planar import PlanarVAE
from fvae.models.vae import VAE
from fvae.objective import Posterior, bits_per_dim, bounds, log_normal, objective

ENCODER = {"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"}
FLOW = {"levels": 1, "steps": 2, "width": 4, "coupling": "affine", "mixing": "conv1x1", "actnorm": True}


def perturbed(model):
    torch.manual_seed(1)
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model


def identity(flow):
    """The flow with every layer at the identity."""
    flow.levels = torch.nn.ModuleList(torch.nn.ModuleList() for _ in flow.levels)
    for steps in flow.levels:
        steps.forward = lambda x: (x, 0.0)
    torch.nn.init.zeros_(flow.last.log_scale)
    torch.nn.init.zeros_(flow.last.shift)


def gaussian_loss(x, mu, sigma, u, reconstruction):
    """Equation (6) of a posterior N(μ, σ²) at z = μ + σu, by torch.distributions."""
    z = mu + sigma * u
    log_p = Normal(mu, sigma).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    return log_p.flatten(1).sum(1) - reconstruction(z)


def test_a_gaussian_posterior_gives_reconstruction_plus_kl():
    """With (10), equation (6) averaged over u is the VAE's loss with the KL of (11) and (12) in closed form."""
    vae = perturbed(VAE((3, 4, 4), encoder=ENCODER))
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


def test_a_mixture_of_gaussian_steps_is_a_gaussian_vae():
    """With identity flows, the mixture (16) is a Gaussian VAE: σ = σ₃σ₂σ₁ and μ = σ₃(σ₂μ₁ + μ₂) + μ₃."""
    mixture = perturbed(Mixture((3, 4, 4), encoder=ENCODER, flow=FLOW))
    for flow in mixture.flows:
        identity(flow)
    x = torch.rand(6, 3, 4, 4, dtype=torch.float64) * 2 - 1
    u = torch.randn(6, 12, 2, 2, dtype=torch.float64)
    h = mixture.encoder(x)
    mu, sigma = h, (mixture.gaussian(h, torch.ones_like(h))[0] - h)
    for affine in mixture.affines:
        assert isinstance(affine, ConditionalAffine)
        shift = affine(torch.zeros_like(h), h)[0]
        scale = affine(torch.ones_like(h), h)[0] - shift
        mu, sigma = scale * mu + shift, scale * sigma
    assert (sigma - mixture.gaussian(h, torch.ones_like(h))[0] + h).abs().max() > 0.01  # the steps are not idle

    def reconstruction(z):
        return log_normal_around(x, mixture.decoder(z), mixture.sigma2.log())

    torch.testing.assert_close(objective(mixture, x, u), gaussian_loss(x, mu, sigma, u, reconstruction))


@pytest.mark.parametrize(
    ("kind", "flow"), [(PlanarVAE, {"steps": 3}), (IAF, {"steps": 2, "width": 9})], ids=["planar", "iaf"]
)
def test_a_transformed_gaussian_has_its_density(kind, flow):
    """Planar flows and IAF: log p(z|x) is that of the Gaussian less log|det| of the steps, by autograd's Jacobian."""
    model = perturbed(kind((3, 4, 4), encoder={**ENCODER, "latent": 3}, flow=flow))
    x = torch.rand(4, 3, 4, 4, dtype=torch.float64) * 2 - 1
    u = torch.randn(4, 3, 2, 2, dtype=torch.float64)
    features = model.encoder.features(x)
    mu, _ = model.gaussian(features, torch.zeros_like(u))
    sigma = model.gaussian(features, torch.ones_like(u))[0] - mu
    losses = []
    for i in range(4):
        one = features[i : i + 1], mu[i : i + 1], sigma[i : i + 1]

        def steps(f, one=one):
            """z of the Gaussian's sample f."""
            return model.posterior_of(one[0], (f - one[1]) / one[2]).z[0]

        f = mu[i : i + 1] + sigma[i : i + 1] * u[i : i + 1]
        z = steps(f)
        determinant = torch.linalg.slogdet(torch.autograd.functional.jacobian(steps, f).reshape(12, 12))[1]
        assert abs(determinant) > 1e-3  # the steps are not idle
        log_p = Normal(one[1], one[2]).log_prob(f).sum() - determinant
        image = model.decoder(z.unflatten(0, (3, 2, 2))[None])[0]
        log_q = Normal(image, model.sigma2()).log_prob(x[i]).sum()
        losses.append(log_p - Normal(0.0, 1.0).log_prob(z).sum() - log_q)
    torch.testing.assert_close(objective(model, x, u), torch.stack(losses))


def test_an_fvae_with_an_autoregressive_flow_has_a_learned_prior():
    """(18) as a VAE whose prior of v is log q(F(v)) + Σ log|∂Fᵢ/∂vᵢ|: each step's Jacobian is triangular."""
    flow = {"kind": "autoregressive", "steps": 1, "width": 9}
    model = perturbed(FVAE((3, 4, 4), encoder={**ENCODER, "latent": 3}, flow=flow))
    x = torch.rand(4, 3, 4, 4, dtype=torch.float64) * 2 - 1
    u = torch.randn(4, 3, 2, 2, dtype=torch.float64)
    posterior = Normal(model.encoder(x), model.sigma1())
    v = posterior.mean + model.sigma1() * u
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda f: model.flow(f[None])[0][0].flatten(), each) for each in v]
    ).reshape(4, 12, 12)
    assert not jacobian.triu(1).any()
    prior = Normal(0.0, 1.0).log_prob(model.flow(v)[0]).sum(1) + jacobian.diagonal(dim1=1, dim2=2).abs().log().sum(1)
    log_q = Normal(model.decoder(v), model.sigma2()).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(objective(model, x, u), posterior.log_prob(v).flatten(1).sum(1) - prior - log_q)


def test_an_fvae_without_a_flow_is_a_vae_of_constant_variance():
    """With F the identity: reconstruction + KL of N(E(x), σ₁² I), in closed form for the average over u."""
    model = perturbed(FVAE((3, 4, 4), encoder=ENCODER, flow=FLOW))
    identity(model.flow)
    x = torch.rand(6, 3, 4, 4, dtype=torch.float64) * 2 - 1
    mu, sigma = model.encoder(x), model.sigma1()

    def reconstruction(z):
        return log_normal_around(x, model.decoder(z), model.sigma2.log())

    u = torch.randn(6, 12, 2, 2, dtype=torch.float64)
    expected = gaussian_loss(x, mu, sigma, u, reconstruction)
    torch.testing.assert_close(objective(model, x, u), expected)
    kl = kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).flatten(1).sum(1)
    # u and −u cancel what is odd in u, and ‖u‖² = d makes the rest its average
    u = u * (48 / u.square().flatten(1).sum(1)).sqrt()[:, None, None, None]
    pair = [objective(model, x, v) + reconstruction(mu + sigma * v) for v in (u, -u)]
    torch.testing.assert_close((pair[0] + pair[1]) / 2, kl)


def flow_and_data():
    glow = perturbed(FlowModel((3, 4, 4), flow=FLOW))
    x = torch.rand(5, 3, 4, 4, dtype=torch.float64) * 2 - 1
    return glow, x, torch.randn_like(x)


@pytest.mark.parametrize("sigma", [1e-4, 0.1, 2.0])
def test_a_flow_gives_its_own_nll_on_noisy_data(sigma):
    """With (13), the terms in σ cancel: equation (6) is the NLL of F at x + σu, for every u."""
    glow, x, u = flow_and_data()
    glow.log_sigma.fill_(math.log(sigma))
    torch.testing.assert_close(objective(glow, x, u), glow.nll(x + sigma * u), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("sigma", [1e-4, 0.1, 2.0])
def test_the_reconstruction_of_a_flow_is_the_constant_of_equation_14(sigma):
    """−log q(x|F_x(u)) = (d/2) log 2πσ² + ½‖u‖², with nothing in it to learn."""
    glow, x, u = flow_and_data()
    glow.log_sigma.fill_(math.log(sigma))
    v = glow.posterior(x, u).v
    constant = 24 * math.log(2 * math.pi * sigma**2) + 0.5 * u.square().flatten(1).sum(1)
    torch.testing.assert_close(-glow.log_likelihood(x, v), constant, rtol=1e-9, atol=1e-6)


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
    losses = [objective(Exact(), x, torch.randn_like(x)) for _ in range(4)]
    truth = -Normal(0, math.hypot(Exact.s, Exact.r)).log_prob(x).sum(1)
    for bound in (*losses, *bounds(losses)):
        torch.testing.assert_close(bound, truth)


def test_importance_weighting_tightens_the_bound():
    losses = torch.randn(50, 7, dtype=torch.float64)
    elbo, iwae = bounds(losses)
    assert (iwae < elbo).all()
    torch.testing.assert_close(elbo, losses.mean(0))
    torch.testing.assert_close(iwae, -(torch.exp(-losses).mean(0)).log())


def test_bounds_of_one_sample_are_its_loss():
    loss = torch.randn(7)
    assert all(torch.equal(bound, loss) for bound in bounds([loss]))


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


@pytest.mark.parametrize("bits", [5, 8])
def test_dequantised_pixels_are_quantised_back(bits):
    levels = 2**bits
    pixels = torch.from_numpy(coarse(np.arange(256, dtype=np.uint8), bits)).expand(50, -1)
    assert len(pixels.unique()) == levels
    x = dequantise(pixels, torch.Generator().manual_seed(0), bits)
    assert -1 <= x.min() < x.max() < 1
    assert torch.equal(quantise(x, bits), pixels)
    assert torch.equal(quantise(centre(pixels, bits), bits), pixels)
    assert quantise(torch.tensor([-3.0, 3.0]), bits).tolist() == [0, 256 - 256 // levels]
    whole = math.log(2.0)  # nats of the uniform density over [-1, 1]
    assert bits_per_dim(torch.tensor(whole), 1, bits) == pytest.approx(bits)
