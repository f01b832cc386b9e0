"""celeba64_authors beside the settings of the authors' code (bojone/flow: f-VAEs.py, glow.py, flow_layers.py)."""

import math

import pytest
import torch

from fvae import params
from fvae.flows.coupling import AdditiveCoupling
from fvae.flows.split import Split
from fvae.models.build import build, describe
from fvae.models.match import resolve_one
from fvae.training.processes import start_processes
from fvae.training.trainer import KERAS_EPS, build_trainer

AUTHORS = params.load().experiments["celeba64_authors"]
RESIDUAL = 4_729_536  # parameters of E, and of G


def test_images():
    data = AUTHORS.data
    assert (data.size, data.bits, data.crop, data.filter) == (64, 8, "center", "bilinear")
    assert data == params.load().experiments["celeba64"].data.model_copy(update={"filter": "bilinear"})


def test_training():
    training = AUTHORS.training_of("fvae")
    assert training.images == 150 * 1000 * 32  # 150 epochs of 1,000 steps, batches of 32
    assert training.batch_size == 32
    assert training.validate_every_images == 1000 * 32
    assert (training.warmup_steps, training.cooldown_images) == (0, 0)  # the learning rate is constant
    assert (training.ema, training.clip_norm, training.flip, training.precision) == (0.0, None, False, "32-true")
    assert (training.hold_out, training.dequantise, training.keep) == (False, False, "training")
    assert (training.batch_norm, training.divergence) == ("running", "ignore")
    assert {spec.learning_rate for spec in AUTHORS.models.values()} == {1e-4}
    assert KERAS_EPS == 1e-7


def test_glow_is_dequantised_and_goes_back():
    changed = {"dequantise": True, "divergence": "restart"}
    assert AUTHORS.training_of("glow") == AUTHORS.training.model_copy(update=changed)
    assert AUTHORS.training_of("vae") == AUTHORS.training_of("fvae") == AUTHORS.training


def test_sampling():
    sampling = AUTHORS.sampling
    pairs, four = sampling.interpolation, sampling.interpolation_four
    assert (pairs.encoder_noise, four.encoder_noise, sampling.batch_norm) == (True, True, "stored")
    assert (pairs.steps, four.steps, AUTHORS.figures.sheet) == (9, 9, (9, 9))
    assert {0.8, 1.0} <= {*sampling.temperatures.temperatures}


def test_fvae_has_the_parameters_of_each_part():
    found = describe(AUTHORS.models["fvae"], 64)
    assert found["parameters"] == 95_830_082
    assert found["parts"]["encoder"] == found["parts"]["decoder"] == RESIDUAL
    levels = [found["parts"][f"flow.levels.{level}"] for level in range(4)]
    assert levels == [6_106_752, 11_420_928, 22_049_280, 43_305_984]
    splits = [found["parts"][f"flow.splits.{level}"] for level in range(3)]
    assert splits == [166_080, 663_936, 2_654_976]
    assert found["parts"]["flow.last"] == 3_072
    assert found["latent"]["shapes"] == [[96, 8, 8], [192, 4, 4], [384, 2, 2], [1536, 1, 1]]


def test_glow_has_three_levels_of_ten_steps_and_width_512():
    flow = AUTHORS.models["glow"].flow
    assert (flow.levels, flow.steps, flow.width) == (3, 10, 512)
    assert describe(AUTHORS.models["glow"], 64)["parameters"] == 11_771_232


@pytest.mark.parametrize("name", ["glow", "fvae"])
def test_flows_are_additive_shuffled_and_unbounded(name):
    spec = resolve_one(AUTHORS, name)
    assert spec.init == "authors"
    with torch.device("meta"):
        modules = [*build(spec, 64).modules()]
    couplings = [module for module in modules if isinstance(module, AdditiveCoupling)]
    assert len(couplings) == spec.flow.levels * spec.flow.steps
    assert all(coupling.order is not None for coupling in couplings)
    splits = [module for module in modules if isinstance(module, Split)]
    assert len(splits) == spec.flow.levels - 1
    assert all(split.bound is None for split in splits)


def test_scales_are_kept_as_logarithms_and_start_at_one():
    spec = AUTHORS.models["fvae"]
    small = {"encoder": spec.encoder.model_copy(update={"levels": 1, "steps": 1})}
    small |= {"flow": spec.flow.model_copy(update={"levels": 2, "steps": 1, "width": 8})}
    model = build(spec.model_copy(update=small), 16)
    for sigma in (model.sigma1, model.sigma2):
        assert (sigma().item(), sigma.theta.item(), sigma.log().item()) == (1.0, 0.0, 0.0)


def test_adam_and_batch_norm_are_those_of_keras():
    spec = AUTHORS.models["fvae"]
    small = {"encoder": spec.encoder.model_copy(update={"levels": 1, "steps": 1})}
    small |= {"flow": spec.flow.model_copy(update={"levels": 1, "steps": 1, "width": 8})}
    trainer = build_trainer(
        start_processes(AUTHORS.training), build(spec.model_copy(update=small), 16), AUTHORS.training
    )
    nats = trainer.model.dims * math.log(2)  # per bits/dim
    assert trainer.optimizer.defaults["eps"] * nats == pytest.approx(1e-7)
    assert trainer.optimizer.defaults["betas"] == (0.9, 0.999)
    norms = [module for module in trainer.model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert {(norm.momentum, norm.eps) for norm in norms} == {(0.01, 1e-3)}
