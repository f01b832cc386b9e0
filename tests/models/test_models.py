"""The models: posteriors against autograd, the authors' counts, the start, the way to the latent and back."""

import math

import pytest
import torch

from fvae import params
from fvae.errors import UserError
from fvae.models.build import build, describe, resolve
from fvae.models.scale import FLOOR, LearnedScale
from fvae.objective import objective

FLOW = {"levels": 2, "steps": 2, "width": 6, "coupling": "affine", "mixing": "conv1x1"}
ENCODER = {"levels": 1, "steps": 2, "expansion": 1.5}
COMMON = {"learning_rate": 1e-3, "start": "data"}
SPECS = {
    "vae": params.VAE(kind="vae", encoder=ENCODER, **COMMON),
    "glow": params.Glow(kind="glow", flow=FLOW, **COMMON),
    "fvae": params.FVAE(kind="fvae", encoder=ENCODER, flow=FLOW, **COMMON),
}
AUTHORS = params.FVAE(
    kind="fvae",
    learning_rate=1e-4,
    start="source",
    encoder={"levels": 3, "steps": 12, "expansion": 1.0},
    flow={"levels": 4, "steps": 12, "width": 256, "coupling": "additive", "mixing": "shuffle"},
)


def trained_a_little(name, size=8, steps=15):
    torch.manual_seed(0)
    model = build(SPECS[name], size).double()
    x = torch.rand(32, 3, size, size, dtype=torch.float64) * 2 - 1
    model.initialise(x, torch.randn(32, *model.noise_shape, dtype=torch.float64))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        loss = model(x, torch.randn(32, *model.noise_shape, dtype=torch.float64)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval(), x


@pytest.mark.parametrize("name", SPECS)
def test_the_posterior_log_determinant_is_that_of_autograd(name):
    model, x = trained_a_little(name)
    u = torch.randn(1, *model.noise_shape, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda noise: model.posterior(x[:1], noise).z[0], u)
    value = torch.linalg.slogdet(jacobian.reshape(model.latent_dims, model.latent_dims))[1]
    torch.testing.assert_close(model.posterior(x[:1], u).logdet[0].detach(), value)


@pytest.mark.parametrize("name", SPECS)
def test_the_decoder_sees_what_inverting_the_flow_would_give(name):
    """decode(F_x(u)) = G(v): training never inverts the flow, sampling does."""
    model, x = trained_a_little(name)
    z, _, v = model.posterior(x, torch.randn(32, *model.noise_shape, dtype=torch.float64))
    decoded = model.decoder(v) if hasattr(model, "decoder") else v
    torch.testing.assert_close(model.decode(z), decoded)


@pytest.mark.parametrize("name", SPECS)
def test_training_lowers_the_objective(name):
    before, x = trained_a_little(name, steps=0)
    after, _ = trained_a_little(name)
    u = torch.randn(32, *before.noise_shape, dtype=torch.float64)
    assert objective(after, x, u).mean() < objective(before, x, u).mean()


@pytest.mark.parametrize("name", SPECS)
def test_samples(name):
    model, _ = trained_a_little(name)
    model.float()
    cold = model.sample(4, 0.0, torch.Generator().manual_seed(0))
    assert cold.shape == (4, 3, 8, 8)
    torch.testing.assert_close(cold[0], cold[3])
    warm = model.sample(4, 1.0, torch.Generator().manual_seed(0))
    assert (warm[0] - warm[3]).abs().max() > 0.01
    assert warm.abs().max() <= 1


def test_glow_goes_to_the_latent_and_back_in_single_precision():
    model, x = trained_a_little("glow")
    model.float()
    torch.testing.assert_close(model.decode(model.encode(x.float())), x.float(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [64, 128])
def test_the_authors_fvae_has_the_authors_parameters(size):
    described = describe(AUTHORS, size)
    assert described["parameters"] == 95_830_082
    assert described["parts"] == {
        "encoder": 4_729_536,
        "decoder": 4_729_536,
        "flow.levels.0": 6_106_752,
        "flow.levels.1": 11_420_928,
        "flow.levels.2": 22_049_280,
        "flow.levels.3": 43_305_984,
        "flow.splits.0": 166_080,
        "flow.splits.1": 663_936,
        "flow.splits.2": 2_654_976,
        "flow.last": 3_072,
        "sigma1": 1,
        "sigma2": 1,
    }


def test_the_authors_glow_has_the_authors_parameters_and_macs():
    flow = {"levels": 3, "steps": 10, "width": 512, "coupling": "additive", "mixing": "shuffle"}
    described = describe(params.Glow(kind="glow", flow=flow, **COMMON), 64)
    assert round(described["parameters"] / 1e6, 2) == 11.77
    assert round(described["macs"] / 1e9, 2) == 4.52


def test_the_fvae_starts_as_the_authors_does():
    """E a space-to-depth, F a permutation with log-determinant 0, G(E(x)) = tanh(x)."""
    spec = AUTHORS.model_copy(update={"flow": AUTHORS.flow.model_copy(update={"levels": 2, "steps": 2, "width": 8})})
    model = build(spec, 16).eval()
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    h = model.encoder(x)
    assert torch.equal(h.flatten(1).sort(1).values, x.flatten(1).sort(1).values)
    z, logdet = model.flow(h)
    assert torch.equal(z.sort(1).values, x.flatten(1).sort(1).values)
    assert torch.equal(logdet, torch.zeros(2))
    torch.testing.assert_close(model.decoder(h), x.tanh())
    assert model.sigma1().item() == pytest.approx(1)
    assert model.sigma2().item() == pytest.approx(1)


def test_macs_of_a_convolution_by_hand():
    """One residual step: a 3×3 and a 1×1 convolution on 4×4 pixels of 12 channels, in E and in G; σ(x)'s 3×3."""
    spec = params.VAE(kind="vae", encoder={"levels": 1, "steps": 1, "expansion": 1.0}, **COMMON)
    assert describe(spec, 8)["macs"] == 16 * (2 * (9 * 12 * 12 + 12 * 12) + 9 * 12 * 12)


@pytest.mark.parametrize("name", list(params.load().experiments))
def test_matched_models_agree_in_what_the_experiment_matches(name):
    experiment = params.load().experiments[name]
    sizes = {model: describe(spec, experiment.data.size) for model, spec in resolve(experiment).items()}
    goal = sizes[experiment.match.model][experiment.match.quantity]
    for size in sizes.values():
        assert abs(size[experiment.match.quantity] / goal - 1) <= experiment.match.tolerance


def test_a_match_out_of_reach_is_one_clear_line():
    experiment = params.load().experiments["demo"]
    tiny = params.FVAE(
        kind="fvae",
        encoder={"levels": 2, "steps": 1, "expansion": 0.1},
        flow=FLOW | {"width": 1},
        **COMMON,
    )
    flow = params.Flow(levels=3, steps=40, width="match", coupling="affine", mixing="conv1x1")
    glow = params.Glow(kind="glow", flow=flow, **COMMON)
    with pytest.raises(UserError, match=r"models.glow: no size comes within 5%"):
        resolve(experiment.model_copy(update={"models": {"fvae": tiny, "glow": glow}}))


def test_an_image_too_small_for_the_levels_is_one_clear_line():
    with pytest.raises(UserError, match="does not fit images of 12×12"):
        build(AUTHORS, 12)


def test_a_learned_scale_keeps_above_its_floor():
    scale = LearnedScale()
    scale.set(0.25)
    assert scale().item() == pytest.approx(0.25)
    with torch.no_grad():
        scale.theta.fill_(-50.0)
    assert scale().item() == pytest.approx(FLOOR)
    assert math.isfinite(scale.log().item())
