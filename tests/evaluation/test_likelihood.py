"""Bits/dim of held-out images: against distributions whose entropy is known, a formula, and a quadrature."""

import math
import weakref
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import norm

from fvae.data.pixels import dequantise
from fvae.evaluation.likelihood import BATCH, image_bits
from fvae.models.base import Model, log_normal_around
from fvae.models.flow import FlowModel
from fvae.models.fvae import FVAE
from fvae.models.vae import VAE
from fvae.objective import bounds, log_normal, objective
from fvae.seeding import torch_generator

IMAGES = np.random.default_rng(0).integers(0, 256, (150, 3, 8, 8), dtype=np.uint8)
FLOW = {"levels": 1, "steps": 1, "width": 4, "coupling": "affine", "mixing": "shuffle", "actnorm": True}
ENCODER = {"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"}


def dequantised(images, seed):
    """The x that image_bits sees, in float64."""
    starts = range(0, len(images), BATCH)
    parts = [
        dequantise(torch.from_numpy(images[i : i + BATCH]), torch_generator(seed, "evaluate/dequantise", i))
        for i in starts
    ]
    return torch.cat(parts).double().flatten(1).numpy()


class Probit(torch.nn.Module):
    """z = Φ⁻¹((x + 1) / 2), standard normal where x is uniform over [-1, 1], set by hand."""

    def __init__(self):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        x = x.double()
        z = math.sqrt(2) * torch.erfinv(x)
        return z.flatten(1), -(x[0].numel() * math.log(2) + log_normal(z))


def test_uniform_pixels_cost_exactly_eight_bits():
    glow = FlowModel((3, 8, 8), flow=FLOW)
    glow.flow = Probit()
    bits = image_bits(glow.double(), IMAGES.clip(1, 254), importance_samples=1, seed=0, quiet=True)
    assert bits.iwae == pytest.approx(np.full(150, 8.0), abs=1e-6)


def test_batch_norm_is_that_of_evaluation_and_stays():
    """Whatever mode the model comes in, and whichever images share a batch."""
    torch.manual_seed(0)
    vae = VAE((3, 8, 8), encoder=ENCODER)
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    norms = [module for module in vae.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    before = [norm.running_mean.clone() for norm in norms]
    together = image_bits(vae.train(), IMAGES[:20], importance_samples=1, seed=0, quiet=True).elbo
    assert all(torch.equal(norm.running_mean, mean) for norm, mean in zip(norms, before, strict=True))
    assert (together == image_bits(vae.eval(), IMAGES[:20], importance_samples=1, seed=0, quiet=True).elbo).all()
    assert together[0] != image_bits(vae, IMAGES[:20] // 2, importance_samples=1, seed=0, quiet=True).elbo[0]


@pytest.mark.parametrize("bits", [5, 8])
def test_discretised_gaussian_pixels_cost_their_entropy(bits):
    """Pixels of N(0, s²), cut into 2^bits levels: a flow set by hand to that Gaussian needs their entropy in bits.

    Within a level the Gaussian is nearly flat; at 5 bits that costs some thousandths.
    """
    s, levels, width = 0.2, 2**bits, 256 // 2**bits
    edges = np.linspace(-1, 1, levels + 1)
    probability = np.diff(norm.cdf(edges, scale=s))
    entropy = -(probability * np.log2(probability, where=probability > 0, out=np.zeros(levels))).sum()
    draws = np.random.default_rng(0).choice(levels, (1000, 3, 8, 8), p=probability / probability.sum())
    glow = FlowModel((3, 8, 8), flow=FLOW)
    with torch.no_grad():
        glow.flow.last.log_scale.fill_(-math.log(s))
    glow.bits = bits
    measured = image_bits(glow, (width * draws).astype(np.uint8), importance_samples=1, seed=0, quiet=True).iwae
    standard_error = measured.std() / math.sqrt(len(measured))
    assert standard_error < 0.003
    assert abs(measured.mean() - entropy) < 4 * standard_error + (0.007 if bits == 5 else 0)


def test_a_flow_at_its_start_is_a_standard_normal():
    """F a permutation: bits/dim is that of N(0, I) at the dequantised pixels, as NumPy computes it."""
    bits = image_bits(FlowModel((3, 8, 8), flow=FLOW), IMAGES, importance_samples=1, seed=3, quiet=True)
    nats = (0.5 * dequantised(IMAGES, 3) ** 2 + 0.5 * math.log(2 * math.pi)).mean(1)
    np.testing.assert_allclose(bits.iwae, nats / math.log(2) + 7, rtol=1e-5)
    assert (bits.elbo == bits.iwae).all()


@pytest.mark.parametrize("kind", [VAE, FVAE])
def test_an_untrained_autoencoder_is_what_its_formula_says(kind):
    """E and F order the pixels, σ₁ = σ₂ = 1, G = tanh: the ELBO at z = x + u, as NumPy computes it, on average."""
    model = kind((3, 8, 8), encoder=ENCODER, **({"flow": FLOW} if kind is FVAE else {}))
    bits = image_bits(model, IMAGES, importance_samples=20, seed=3, quiet=True).elbo
    x = dequantised(IMAGES, 3)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    error = ((np.tanh(x[..., None] + nodes) - x[..., None]) ** 2 * weights).sum(-1)
    nats = (0.5 * error + 0.5 * math.log(2 * math.pi) + 0.5 * x**2).mean(1)  # KL of N(x, 1): ½ x²
    expected = nats / math.log(2) + 7
    standard_error = (bits - expected).std() / math.sqrt(150)
    assert standard_error < 0.003
    assert abs((bits - expected).mean()) < 4 * standard_error


@pytest.mark.parametrize("kind", [VAE, FVAE])
def test_importance_weighting_falls_with_k_to_the_quadrature_of_two_pixels(kind):
    """log q(x) = log ∫ N(x; G(F⁻¹(z)), σ₂²) N(z; 0, I) dz on a grid, for an image of two values."""
    torch.manual_seed(3)
    encoder = ENCODER | {"levels": 0}
    flow = {"flow": FLOW | {"steps": 2, "mixing": "conv1x1"}} if kind is FVAE else {}
    model = kind((2, 1, 1), encoder=encoder, **flow).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    model.sigma1.set(1.0)
    model.sigma2.set(0.4)
    x = torch.tensor([[0.3, -0.6], [0.8, 0.1], [-0.2, -0.9]], dtype=torch.float64)[:, :, None, None]
    with torch.no_grad():
        side = torch.linspace(-7, 7, 561, dtype=torch.float64)
        z = torch.cartesian_prod(side, side)
        mean, prior = model.decode(z), log_normal(z)
        area = (side[1] - side[0]) ** 2
        joint = [log_normal_around(image.expand_as(mean), mean, model.log_sigma2) + prior for image in x]
        truth = torch.stack([-(torch.logsumexp(values, 0) + area.log()) for values in joint])

        def iwae(k, repeats):
            """Its expectation, over so many runs."""
            many = x.repeat(repeats, 1, 1, 1)
            bound = bounds(objective(model, many, torch.randn_like(many)) for _ in range(k)).iwae
            return bound.unflatten(0, (repeats, 3)).mean(0)

        chain = [iwae(1, 20_000), iwae(4, 20_000), iwae(32, 5_000), iwae(1_000, 400)]
    for looser, tighter in pairwise(chain):
        assert (tighter < looser).all()
    assert (chain[0] - truth > 0.02).all()
    torch.testing.assert_close(chain[-1], truth, rtol=0, atol=0.01)


def test_more_importance_samples_tighten_the_bound():
    torch.manual_seed(0)
    vae = VAE((3, 8, 8), encoder=ENCODER)
    one, many = (image_bits(vae, IMAGES, importance_samples=k, seed=0, quiet=True) for k in (1, 50))
    assert many.iwae.mean() < one.iwae.mean()
    assert many.elbo.mean() == pytest.approx(one.elbo.mean(), rel=0.01)
    assert (one.elbo == one.iwae).all()


class Counting(Model):
    """Counts how many of its losses are alive at once."""

    def __init__(self):
        super().__init__((3, 8, 8), (1, 1, 1))
        self.nothing = torch.nn.Parameter(torch.zeros(()))
        self.made, self.most = [], 0

    def forward(self, x, u):
        loss = torch.zeros(len(x), dtype=torch.float64)  # as it is: no copy of another precision
        self.made.append(weakref.ref(loss))
        self.most = max(self.most, sum(reference() is not None for reference in self.made))
        return loss


def test_memory_does_not_grow_with_the_number_of_samples():
    """However many losses there are, only the last ones are alive."""
    model = Counting()
    image_bits(model, IMAGES[:5], importance_samples=200, seed=0, quiet=True)
    assert len(model.made) == 200
    assert model.most <= 3


def test_the_same_seed_gives_the_same_bits():
    vae = VAE((3, 8, 8), encoder=ENCODER)
    first, second, other = (image_bits(vae, IMAGES, importance_samples=2, seed=s, quiet=True).iwae for s in (0, 0, 1))
    assert (first == second).all()
    assert first.mean() == pytest.approx(other.mean(), rel=0.05)
    assert (first != other).any()
