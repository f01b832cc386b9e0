"""One training step: settings for speed or memory do not change what it computes."""

import copy
import math
import shutil

import pytest
import torch
from family import SPECS

from fvae import params
from fvae.errors import UserError
from fvae.models.build import build
from fvae.training.processes import start_processes
from fvae.training.trainer import build_trainer

SETTINGS = params.load().experiments["demo"].training.model_copy(update={"batch_size": 16, "ema": 0.5})
FAITHFUL = {  # bits/dim that a loss may change by
    "channels_last": ({"channels_last": False}, 1e-4),
    "reversible": ({"reversible": True}, 1e-4),
    "compile": ({"compile": True}, 1e-4),
    "bf16-mixed": ({"precision": "bf16-mixed"}, 1e-2),
}


def trainer_of(model, settings):
    return build_trainer(start_processes(settings), model, settings)


def losses(name, settings, steps):
    """Bits/dim of some steps on one batch."""
    torch.manual_seed(0)
    model = build(SPECS[name], 8)
    trainer = trainer_of(model, settings)
    device = trainer.device
    x, u = torch.rand(16, 3, 8, 8, device=device) * 2 - 1, torch.randn(16, *model.noise_shape, device=device)
    trainer.initialise(x, u)
    return [trainer.mean_bits_per_dim(trainer.train_step(x, u, 1e-3)) for _ in range(steps)]


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("choice", ["channels_last", "reversible", "bf16-mixed"])
def test_a_choice_for_speed_does_not_change_the_losses(name, choice):
    change, tolerance = FAITHFUL[choice]
    plain = losses(name, SETTINGS, steps=5)
    assert plain[-1] < plain[0]
    assert losses(name, SETTINGS.model_copy(update=change), steps=5) == pytest.approx(plain, abs=tolerance)


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_parts_has_the_losses_of_the_whole(parts):
    """Of a Glow: BatchNorm's statistics would be those of the parts, which tests/training/test_devices.py compares."""
    plain = losses("glow", SETTINGS, steps=5)
    in_parts = losses("glow", SETTINGS.model_copy(update={"accumulate": parts}), steps=5)
    assert in_parts == pytest.approx(plain, abs=1e-5)


@pytest.mark.skipif(not shutil.which("c++"), reason="torch.compile needs a C++ compiler, and there is none here")
def test_compiling_does_not_change_the_losses():
    change, tolerance = FAITHFUL["compile"]
    plain = losses("fvae", SETTINGS, steps=3)
    assert losses("fvae", SETTINGS.model_copy(update=change), steps=3) == pytest.approx(plain, abs=tolerance)


def test_adam_s_eps_is_that_of_keras_for_a_loss_in_nats():
    """1e-7 beside gradients of nats; the step's loss is in bits/dim, smaller by D log 2."""
    trainer = trainer_of(build(SPECS["fvae"], 8), SETTINGS)
    assert trainer.optimizer.defaults["eps"] * 192 * math.log(2) == pytest.approx(1e-7)


def made(name="fvae", **changes):
    """A trainer of a model, and a batch."""
    torch.manual_seed(0)
    trainer = trainer_of(build(SPECS[name], 8), SETTINGS.model_copy(update=changes))
    x, u = torch.rand(16, 3, 8, 8) * 2 - 1, torch.randn(16, *trainer.model.noise_shape)
    trainer.initialise(x, u)
    return trainer, x, u


@pytest.mark.parametrize("clip", [1e-3, 1e9])
def test_gradients_are_clipped(clip):
    trainer, x, u = made(clip_norm=clip)
    norms = []
    trainer.optimizer.register_step_pre_hook(
        lambda optimizer, *_: norms.append(
            torch.cat([weight.grad.flatten() for weight in trainer.model.parameters()]).norm()
        )
    )
    trainer.train_step(x, u, 1e-3)
    assert norms[0] == pytest.approx(1e-3, rel=1e-4) if clip == 1e-3 else norms[0] > 1e-2


def test_the_average_moves_with_the_weights():
    trainer, x, u = made(ema=0.75)
    expected = [weight.detach().clone() for weight in trainer.model.parameters()]
    for _ in range(3):
        trainer.train_step(x, u, 1e-3)
        for mean, weight in zip(expected, trainer.model.parameters(), strict=True):
            mean.mul_(0.75).add_(weight.detach(), alpha=0.25)
    for mean, average, weight in zip(expected, trainer.ema.model.parameters(), trainer.model.parameters(), strict=True):
        torch.testing.assert_close(average, mean)
        assert not torch.equal(average, weight)


def test_the_average_s_batch_norms_have_the_statistics_of_its_own_weights():
    trainer, x, u = made(ema=0.99)
    for _ in range(20):
        trainer.train_step(x, u, 1e-2)
    own = copy.deepcopy(trainer.ema.model).train()
    seen = {}
    for name, norm in own.named_modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.register_forward_pre_hook(lambda _, inputs, name=name: seen.setdefault(name, []).append(inputs[0]))
    batches = [(x[:8], u[:8]), (x[8:], u[8:])]
    for batch in batches:
        own(*batch)
    evaluated, online = (dict(model.named_modules()) for model in (trainer.evaluation_model(batches), trainer.model))
    assert not evaluated[""].training
    assert seen
    for name, inputs in seen.items():
        mean, variance = (torch.stack(each).mean(0) for each in zip(*map(moments, inputs), strict=True))
        torch.testing.assert_close(evaluated[name].running_mean, mean)
        torch.testing.assert_close(evaluated[name].running_var, variance)
        assert not torch.allclose(online[name].running_var, variance, rtol=1e-3)


def moments(x):
    """Of each channel, as BatchNorm estimates them."""
    return x.mean((0, 2, 3)), x.var((0, 2, 3))


def test_a_model_without_batch_norm_is_evaluated_as_it_is():
    trainer, x, u = made("glow")
    trainer.train_step(x, u, 1e-3)
    before = copy.deepcopy(trainer.ema.model.state_dict())
    for name, value in trainer.evaluation_model([(x, u)]).state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_weight_or_a_statistic_that_is_not_finite_is_found():
    trainer, *_ = made()
    assert trainer.has_finite_weights()
    norm = next(module for module in trainer.model.modules() if isinstance(module, torch.nn.BatchNorm2d))
    for tensor in (norm.running_var, norm.weight.data):
        before = tensor[0].clone()
        tensor[0] = math.nan
        assert not trainer.has_finite_weights()
        tensor[0] = before
    assert trainer.has_finite_weights()


def test_convolutions_are_deterministic_and_float32_is_float32():
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = False, True, True, True
    made("glow")
    assert (cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32) == (True, False, False, False)


def test_apple_s_gpu_which_has_no_float64_is_not_taken(monkeypatch):
    monkeypatch.setattr("lightning_fabric.accelerators.mps.MPSAccelerator.is_available", lambda: True)
    assert made("glow", devices=1)[0].device.type == "cpu" or torch.cuda.is_available()


def test_more_devices_than_gpus_are_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match=r"training\.devices: 2 is more than the GPUs here, 1"):
        made("glow", devices=2)
