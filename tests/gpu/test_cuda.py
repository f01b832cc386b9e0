"""On a GPU: training in float32 and bf16 gives the same bits again, and the same numbers as a CPU."""

import json

import numpy as np
import pytest
import torch
from training.states import assert_same

import fvae
from fvae import params
from fvae.evaluation.likelihood import image_bits
from fvae.library import TrainedModel, save
from fvae.models.build import build
from fvae.seeding import seed_everything
from fvae.training import recovery, schedule, states
from fvae.training.batches import Batches
from fvae.training.checkpoint import load_weights
from fvae.training.loop import train
from fvae.training.processes import start_processes
from fvae.training.trainer import build_trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
SPEC = params.FVAESpec(
    kind="fvae",
    learning_rate=1e-3,
    init="data",
    encoder={"levels": 2, "steps": 2, "expansion": 1.0, "latent": "full"},
    flow={"levels": 2, "steps": 2, "width": 32, "coupling": "affine", "mixing": "conv1x1", "actnorm": True},
)
IMAGES = np.random.default_rng(0).integers(0, 256, (64, 3, 16, 16), dtype=np.uint8)


def validate(model, step):
    return {"bpd": float(image_bits(model, IMAGES, importance_samples=1, seed=0, quiet=True).elbo.mean())}, IMAGES


def settings(**changes):
    """A short training."""
    plain = params.Training(
        images=192,
        batch_size=16,
        warmup_steps=2,
        cooldown_images=64,
        hold_out=True,
        dequantise=True,
        clip_norm=10.0,
        divergence="restart",
        batch_norm="estimated",
        keep="validation",
        ema=0.9,
        flip=True,
        precision="32-true",
        channels_last=True,
        compile=False,
        reversible=False,
        accumulate=1,
        devices=1,
        threads=1,
        validate_every_images=64,
        validation_images=16,
    )
    return plain.model_copy(update=changes)


def run(folder, **changes):
    seed_everything(0, "weights")
    train(
        build(SPEC, 16),
        IMAGES,
        folder,
        settings=settings(**changes),
        learning_rate=1e-3,
        init="data",
        seed=0,
        fingerprint="f",
        validate=validate,
    )


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_training_and_bits_per_dim_on_the_device(tmp_path, precision, compile):
    run(tmp_path, precision=precision, compile=compile)
    cost = json.loads((tmp_path / "training.json").read_text())
    assert cost["device"] == torch.cuda.get_device_name()
    model = build(SPEC, 16)
    load_weights(tmp_path / "weights.safetensors", model)
    model.eval()
    x = torch.rand(8, 3, 16, 16) * 2 - 1
    u = model.noise(8, torch.Generator().manual_seed(0))
    with torch.no_grad():
        here, there = model(x, u), model.cuda()(x.cuda(), u.cuda()).cpu()
    torch.testing.assert_close(here, there, rtol=1e-3, atol=0.5)


class Killed(BaseException):
    """As a signal would end the process."""


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_an_interrupted_run_continues_to_the_same_bits(tmp_path, monkeypatch, precision):
    monkeypatch.setattr(recovery, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(schedule, "LOG_EVERY", 2)
    monkeypatch.setattr(states.States, "remove", lambda self: None)
    run(tmp_path / "whole", precision=precision)
    real = Batches.__call__

    def until(self, now):
        if now == 7:
            raise Killed
        return real(self, now)

    with monkeypatch.context() as patch:
        patch.setattr(Batches, "__call__", until)
        with pytest.raises(Killed):
            run(tmp_path / "parts", precision=precision)
    run(tmp_path / "parts", precision=precision)
    assert_same(tmp_path / "whole", tmp_path / "parts")


def prepared(**changes):
    """A trainer, and the batches from which it was initialised."""
    seed_everything(0, "weights")
    chosen = settings(**changes)
    trainer = build_trainer(start_processes(chosen), build(SPEC, 16), chosen)
    batches = Batches(IMAGES, trainer.model, batch_size=16, flip=True, seed=0, device=trainer.device)
    trainer.initialise(*batches.first(64))
    return trainer, batches


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_no_step_waits_for_the_device(precision):
    trainer, batches = prepared(precision=precision)
    trainer.train_step(*batches(0), 1e-3)  # the first allocates, and an epoch's order is sent
    torch.cuda.set_sync_debug_mode("error")
    try:
        trainer.train_step(*batches(1), 1e-3)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_trained_flow_is_inverted_in_float32():
    """Without TF32, also where no environment variable forbids it: x → z → x."""
    trainer, batches = prepared()
    for number in range(12):
        trainer.train_step(*batches(number), 1e-3)
    model = trainer.evaluation_model(batches.fixed(64))
    x, u = batches(12)
    with torch.no_grad():
        z, _, v = model.posterior(x, u)
        torch.testing.assert_close(model.invert(z), v, rtol=0, atol=1e-4)


def test_a_loaded_model_makes_the_same_images_as_on_a_cpu(tmp_path):
    seed_everything(0, "test")
    save(TrainedModel(build(SPEC, 16), SPEC), tmp_path)
    gpu, cpu = fvae.load(tmp_path), fvae.load(tmp_path, "cpu")
    assert gpu.device.type == "cuda"
    assert np.allclose(gpu.encode(IMAGES), cpu.encode(IMAGES), atol=1e-4)
    assert np.abs(gpu.sample(8, seed=1).astype(int) - cpu.sample(8, seed=1)).max() <= 1
