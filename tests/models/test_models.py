"""The models: posteriors against autograd, the authors' counts, the start, the way to the latent and back."""

import math

import pytest
import torch
from family import COMMON, SPECS, changed, noise, perturbed, trained_a_little
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from fvae import params
from fvae.errors import UserError
from fvae.flows.actnorm import Actnorm
from fvae.flows.conditional import ConditionalAffine
from fvae.flows.made import MaskedLinear
from fvae.flows.multiscale import MultiScaleFlow
from fvae.flows.split import Split
from fvae.models.build import build, describe
from fvae.models.scale import FLOOR, LearnedScale
from fvae.objective import objective

AUTHORS = params.FVAESpec(
    kind="fvae",
    learning_rate=1e-4,
    init="authors",
    encoder={"levels": 3, "steps": 12, "expansion": 1.0, "latent": "full"},
    flow={"levels": 4, "steps": 12, "width": 256, "coupling": "additive", "mixing": "shuffle", "actnorm": True},
)
AUTHORS_GLOW = {"levels": 3, "steps": 10, "width": 512, "coupling": "additive", "mixing": "shuffle", "actnorm": True}


def assert_log_determinant(model, x):
    """The posterior's log-determinant at one image is that of autograd's Jacobian in u."""
    u = noise(model, 1)
    jacobian = torch.autograd.functional.jacobian(lambda v: model.posterior(x[:1], v).z[0], u)
    value = torch.linalg.slogdet(jacobian.reshape(model.latent_dims, model.latent_dims))[1]
    torch.testing.assert_close(model.posterior(x[:1], u).logdet[0].detach(), value)


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("steps", [0, 15])
def test_the_posterior_log_determinant_is_that_of_autograd(name, steps):
    assert_log_determinant(*trained_a_little(name, steps=steps))


@pytest.mark.parametrize("kind", ["vae", "glow", "mixture", "fvae"])
@settings(max_examples=6, deadline=None)
@given(
    size=st.sampled_from([4, 8]),
    flow_levels=st.integers(1, 2),
    coupling=st.sampled_from(["additive", "affine"]),
    mixing=st.sampled_from(["swap", "shuffle", "conv1x1"]),
    actnorm=st.booleans(),
    latent=st.sampled_from(["full", 3, 5]),
)
def test_every_configuration_has_its_log_determinant_and_inverts(
    kind, size, flow_levels, coupling, mixing, actnorm, latent
):
    flow = {"levels": flow_levels, "steps": 1, "width": 4, "coupling": coupling, "mixing": mixing, "actnorm": actnorm}
    encoder = {"levels": 1, "steps": 1, "expansion": 1.0, "latent": latent}
    wanted = {"encoder": encoder, "flow": flow}
    spec = SPECS[kind]
    spec = changed(spec, **{name: section for name, section in wanted.items() if name in type(spec).model_fields})
    model = perturbed(build(spec, size))
    x = torch.rand(2, 3, size, size, dtype=torch.float64) * 2 - 1
    assert_log_determinant(model, x)
    z, _, v = model.posterior(x, noise(model, 2))
    torch.testing.assert_close(model.invert(z), v, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", SPECS)
def test_the_decoder_sees_what_inverting_the_flow_would_give(name):
    """decode(F_x(u)) = G(v): training never inverts the flow, sampling does."""
    model, x = trained_a_little(name)
    z, _, v = model.posterior(x, noise(model))
    assert z.shape == (32, model.latent_dims)
    torch.testing.assert_close(model.decode(z), model.decoder(v))


@pytest.mark.parametrize("name", SPECS)
def test_training_lowers_the_objective(name):
    before, x = trained_a_little(name, steps=0)
    after, _ = trained_a_little(name)
    u = noise(before)
    assert objective(after, x, u).mean() < objective(before, x, u).mean()


@pytest.mark.parametrize("reversible", [False, True])
@pytest.mark.parametrize("name", SPECS)
def test_a_training_step_inverts_no_matrix(name, reversible):
    """Nor takes it a determinant: the invertible convolution knows its own by its LU factors, and its inverse too."""
    model, x = trained_a_little(name, steps=0)
    for flow in model.modules():
        if isinstance(flow, MultiScaleFlow):
            flow.reversible = reversible
    called = set()

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            called.add(str(func))
            return func(*args, **(kwargs or {}))

    with Watch():
        model.train()(x, noise(model)).mean().backward()
    assert any("convolution" in name for name in called)
    algebra = {name for name in called if any(word in name for word in ("linalg", "inverse", "logdet", "solve"))}
    assert all(reversible and "solve_triangular" in name for name in algebra), algebra


@pytest.mark.parametrize(("name", "dims"), [("vae", 192), ("vae_reduced", 64), ("fvae_reduced", 64), ("glow", 192)])
def test_a_reduced_latent_has_fewer_dimensions_than_the_image(name, dims):
    model = build(SPECS[name], 8)
    assert (model.latent_dims, model.dims) == (dims, 192)
    described = describe(SPECS[name], 8)
    assert described["latent"]["dims"] == dims == sum(math.prod(shape) for shape in described["latent"]["shapes"])


def test_a_reduced_autoencoder_starts_as_a_projection():
    model = build(SPECS["fvae_reduced"], 8).double().eval()
    h = model.encoder(torch.rand(4, 3, 8, 8, dtype=torch.float64))
    again = model.encoder.reduce(model.decoder.widen(h))
    torch.testing.assert_close(again, h, rtol=0, atol=1e-6)  # the rows are orthonormal to float32's precision


def test_nice_has_one_volume_for_every_image():
    model, x = trained_a_little("nice")
    _, logdet = model.flow(x)
    torch.testing.assert_close(logdet, logdet[:1].expand(32))
    assert logdet[0] != 0  # its diagonal scaling
    assert sum(isinstance(layer, Actnorm) for layer in model.modules()) == 1


def test_a_flow_needs_two_channels():
    with pytest.raises(UserError, match="a coupling needs two"):
        build(changed(SPECS["fvae"], encoder={"latent": 1}), 8)


def test_a_latent_no_smaller_than_the_image_is_refused():
    with pytest.raises(UserError, match="a latent of 12 channels is no smaller than the image, 12 there; say full"):
        build(changed(SPECS["vae"], encoder={"latent": 12}), 8)


@pytest.mark.parametrize("size", [64, 128])
def test_the_authors_fvae_has_the_authors_parameters(size):
    described = describe(AUTHORS, size)
    assert described["parameters"] == 95_830_082
    assert described["effective_parameters"] == {64: 95_830_082 - 37_748_736, 128: 95_830_082}[size]
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


def test_effective_parameters_are_those_that_get_a_gradient():
    """A weight that meets only padding has no gradient on any image; the count agrees with autograd."""
    torch.manual_seed(0)  # with others a ReLU is dead for all images of some channel, and its weights have no gradient
    spec = changed(SPECS["fvae"], flow={"levels": 3, "steps": 1})
    model = perturbed(build(spec, 8)).train()
    for _ in range(8):
        model(torch.rand(8, 3, 8, 8, dtype=torch.float64) * 2 - 1, noise(model, 8)).mean().backward()
    alive = sum(int((weight.grad != 0).sum()) for weight in model.parameters())
    described = describe(spec, 8)
    assert described["effective_parameters"] < described["parameters"]
    assert alive == pytest.approx(described["effective_parameters"], rel=0.01)  # BatchNorm hides the biases before it
    assert alive <= described["effective_parameters"]


def test_the_authors_glow_has_the_authors_parameters_and_macs():
    described = describe(params.FlowModelSpec(kind="flow", flow=AUTHORS_GLOW, **COMMON), 64)
    assert round(described["parameters"] / 1e6, 2) == 11.77
    assert round(described["macs"] / 1e9, 2) == 4.52


def test_an_invertible_convolution_has_as_many_parameters_as_a_matrix():
    def count(mixing):
        flow = params.FlowSpec(**AUTHORS_GLOW | {"mixing": mixing})
        return describe(params.FlowModelSpec(kind="flow", flow=flow, **COMMON), 64)["parameters"]

    assert count("conv1x1") - count("shuffle") == 10 * (12**2 + 24**2 + 48**2)


def test_the_fvae_starts_as_the_authors_does():
    """At full size: E a space-to-depth, F a permutation with log-determinant 0, G(E(x)) = tanh(x), σ₁ = σ₂ = 1."""
    model = build(AUTHORS, 64).eval()
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        h = model.encoder(x)
        z, logdet = model.flow(h)
        torch.testing.assert_close(model.decoder(h), x.tanh())
    assert torch.equal(h.flatten(1).sort(1).values, x.flatten(1).sort(1).values)
    assert torch.equal(z.sort(1).values, x.flatten(1).sort(1).values)
    assert torch.equal(logdet, torch.zeros(2))
    assert model.sigma1().item() == pytest.approx(1)
    assert model.sigma2().item() == pytest.approx(1)


def test_convolutions_start_as_keras_does():
    """Glorot-uniform weights, zero biases; BatchNorm with momentum 0.99 (PyTorch: 0.01) and ε = 1e-3."""
    encoder = build(changed(AUTHORS, flow={"steps": 1}), 64).encoder
    conv, norm, _, last = encoder.levels[2][0].network
    bound = math.sqrt(6 / (9 * 192 + 9 * 192))
    assert 0.99 * bound < conv.weight.abs().max() <= bound
    assert conv.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.01)
    assert not conv.bias.any()
    assert not last.weight.any()
    assert (norm.momentum, norm.eps) == (0.01, 1e-3)


def test_macs_of_a_convolution_by_hand():
    """One residual step: a 3×3 and a 1×1 convolution on 4×4 pixels of 12 channels, in E and in G; σ(x)'s 3×3."""
    encoder = {"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"}
    spec = params.VAESpec(kind="vae", encoder=encoder, **COMMON)
    assert describe(spec, 8)["macs"] == 16 * (2 * (9 * 12 * 12 + 12 * 12) + 9 * 12 * 12)


def test_macs_of_a_masked_network_by_hand():
    """F of 12 dimensions: each step has dense layers 12 → 20 and 20 → 24; masked weights are computed too."""
    conv = describe(SPECS["fvae_conv"], 8)
    flow = describe(changed(SPECS["fvae_autoregressive"], flow={"steps": 2}), 8)
    more = describe(changed(SPECS["fvae_autoregressive"], flow={"steps": 5}), 8)
    assert flow["latent"] == {"dims": 12, "shapes": [[3, 2, 2]]}
    assert conv["latent"]["dims"] == 12
    assert more["macs"] - flow["macs"] == 3 * (12 * 20 + 20 * 24)


@pytest.mark.parametrize("name", ["iaf", "fvae_autoregressive"])
def test_masked_weights_are_no_effective_parameters(name):
    """Those of the networks that get a gradient on any image are as many as are counted."""
    model = perturbed(build(SPECS[name], 8)).train()
    for _ in range(20):
        model(torch.rand(8, 3, 8, 8, dtype=torch.float64) * 2 - 1, noise(model, 8)).mean().backward()
    layers = [module for module in model.modules() if isinstance(module, MaskedLinear)]
    dead = sum(int((layer.weight.grad == 0).sum()) for layer in layers)
    described = describe(SPECS[name], 8)
    assert len(layers) == 6
    assert dead == described["parameters"] - described["effective_parameters"] > 0


def test_a_latent_of_one_dimension_is_one_clear_line():
    with pytest.raises(UserError, match="does not fit images of 8×8: an autoregressive flow needs a latent of at"):
        build(changed(SPECS["iaf"], encoder={"latent": {"dense": 1}}), 8)


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


def test_a_learned_scale_without_a_floor_is_any_positive_number():
    scale = LearnedScale(0.0).double()
    assert scale().item() == 1.0
    for sigma in (1e-9, 0.25, 1e6):
        scale.set(sigma)
        assert scale().item() == pytest.approx(sigma)
        assert scale.log().item() == pytest.approx(math.log(sigma))
    (gradient,) = torch.autograd.grad(scale.log(), scale.theta)
    assert gradient == 1  # that of a log-scale
    scale.set(0.0)
    assert scale.log().isfinite()


@pytest.mark.parametrize("name", ["vae", "mixture", "fvae"])
def test_the_floor_and_the_bound_of_a_section_reach_the_model(name):
    spec = SPECS[name].model_copy(update={"sigma_floor": 0.0})
    model = build(changed(spec, **{"flow": {"split_bound": None}} if name != "vae" else {}), 8)
    assert model.sigma1.floor == model.sigma2.floor == 0.0
    assert all(module.bound is None for module in model.modules() if isinstance(module, Split))


@pytest.mark.parametrize("extreme", [-1e3, 1e3])
def test_scales_that_depend_on_x_are_bounded(extreme):
    """log σ(x) within ±4 of that of σ₁, whatever the network says."""
    vae, _ = trained_a_little("vae", steps=0)
    mu, u = torch.randn(2, 5, *vae.noise_shape, dtype=torch.float64)
    with torch.no_grad():
        vae.log_sigma.bias.fill_(extreme)
        _, logdet = vae.gaussian(mu, u)
        log_sigma = logdet / vae.latent_dims - vae.sigma1.log()
    assert log_sigma.abs().max().item() == pytest.approx(4, abs=1e-3)
    affine = ConditionalAffine(3)
    with torch.no_grad():
        affine.network.bias.fill_(extreme)
        f, logdet = affine(torch.randn(5, 3, 4, 4), torch.randn(5, 3, 4, 4))
    assert logdet.abs().max().item() == pytest.approx(4 * 48, abs=0.1)
    assert f.isfinite().all()


@pytest.mark.parametrize("name", ["vae", "mixture", "fvae", "fvae_reduced"])
def test_the_data_dependent_start(name):
    """σ₁ is half the spread of E(x), and σ₂ the error of the reconstruction."""
    model, x = trained_a_little(name, steps=0)
    assert (model.sigma1() / model.encoder(x).std()).item() == pytest.approx(0.5, rel=1e-3)
    error = (model.decoder(model.posterior(x, noise(model)).v) - x).square().mean().sqrt()
    assert model.sigma2().item() == pytest.approx(error.item(), rel=0.05)


def test_sigma1_can_be_a_constant():
    spec = SPECS["fvae_conv"].model_copy(update={"sigma1": 0.25})
    model = build(spec, 8)
    x = torch.rand(16, 3, 8, 8) * 2 - 1
    model.initialise(x, torch.randn(16, *model.noise_shape))
    assert model.sigma1().item() == pytest.approx(0.25)
    model(x, torch.randn(16, *model.noise_shape)).mean().backward()
    assert model.sigma1.theta.grad is None


def test_each_channel_can_have_its_own_sigma2():
    spec = SPECS["fvae_conv"].model_copy(update={"sigma2": "channel"})
    model = build(spec, 8).double()
    with torch.no_grad():
        model.sigma2.theta += torch.tensor([-1.0, 0.0, 1.0])
    x = torch.rand(4, 3, 8, 8, dtype=torch.float64)
    v = torch.randn(4, *model.noise_shape, dtype=torch.float64)
    by_channel = torch.distributions.Normal(model.decoder(v), model.sigma2()[:, None, None])
    torch.testing.assert_close(model.log_likelihood(x, v), by_channel.log_prob(x).sum((1, 2, 3)))
