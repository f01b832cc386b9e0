"""The choices of `training`: what the images are, which weights are kept and how, and what happens on divergence."""

import json
import os
import signal

import numpy as np
import pandas as pd
import pytest
import torch
from training.test_loop import IMAGES, SETTINGS, SPEC, run

from fvae.errors import UserError
from fvae.models.build import build
from fvae.training import checkpoint, recovery, schedule
from fvae.training.batches import Batches
from fvae.training.processes import start_processes
from fvae.training.states import States
from fvae.training.trainer import Trainer, build_trainer


def choose(**choices):
    return SETTINGS.model_copy(update=choices)


@pytest.mark.parametrize("bits", [8, 5])
def test_images_that_are_not_dequantised_have_their_levels_from_minus_one_to_one(bits):
    model = build(SPEC, 8, bits)
    levels = np.arange(2**bits)
    images = (levels * 2 ** (8 - bits)).astype(np.uint8)[:, None, None, None].repeat(3, 1).repeat(8, 2).repeat(8, 3)
    how = {"batch_size": len(images), "flip": False, "seed": 0, "device": torch.device("cpu")}
    x, u = Batches(images, model, dequantise=False, **how)(0)
    values = x[:, 0, 0, 0].sort().values
    np.testing.assert_allclose(values, 2 * levels / (2**bits - 1) - 1, atol=1e-6)
    assert torch.equal(x, x[:, :1, :1, :1].expand_as(x))
    assert u.std() == pytest.approx(1, abs=0.1)
    noisy, _ = Batches(images, model, **how)(0)
    assert not torch.equal(noisy, noisy[:, :1, :1, :1].expand_as(x))


def test_no_clipping_is_a_norm_that_is_never_reached(tmp_path):
    histories = []
    for name, clip_norm in (("none", None), ("large", 1e9), ("small", 1e-3)):
        run(tmp_path / name, settings=choose(clip_norm=clip_norm))
        histories.append((tmp_path / name / "weights.safetensors").read_bytes())
    assert histories[0] == histories[1] != histories[2]


@pytest.mark.parametrize(("keep", "kept"), [("validation", 0), ("training", 1), ("last", 2)])
def test_which_weights_are_kept(tmp_path, keep, kept, monkeypatch):
    """Validation is best at the first of three validations, training at the second."""
    bits, losses, seen = iter([1.0, 3.0, 2.0]), iter([3.0, 1.0, 2.0]), []
    monkeypatch.setattr(Trainer, "mean_bits_per_dim", lambda self, nats: next(losses))
    monkeypatch.setattr(schedule.Schedule, "logs_after", lambda self, step: self.validates_after(step))

    def validate(model, step):
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"bpd": next(bits)}, IMAGES[:4]

    run(tmp_path, validate=validate, settings=choose(keep=keep))
    model = build(SPEC, 8)
    checkpoint.load_weights(tmp_path / "weights.safetensors", model)
    for name, value in model.state_dict().items():
        assert torch.equal(value, seen[kept][name]), name
    assert json.loads((tmp_path / "training.json").read_text())["best_bpd"] == [1.0, 3.0, 2.0][kept]


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_batch_norm_takes_the_running_statistics_of_training(ema):
    settings = choose(batch_norm="running", ema=ema)
    trainer = build_trainer(start_processes(settings), build(SPEC, 8), settings)
    x, u = torch.rand(8, 3, 8, 8), torch.randn(8, *trainer.model.noise_shape)
    for _ in range(5):
        trainer.train_step(x, u, 1e-2)
    evaluated = trainer.evaluation_model(iter([(x, u)]))
    assert not evaluated.training
    statistics = {name for name, _ in trainer.model.named_buffers() if "running" in name}
    assert statistics
    for name, value in evaluated.state_dict().items():
        same = torch.equal(value, trainer.model.state_dict()[name])
        assert same or (ema and name not in statistics), name
    again = trainer.evaluation_model(iter([(x, u)])).state_dict()
    estimated = build_trainer(trainer.fabric, build(SPEC, 8), choose())
    estimated.load_state_dict(trainer.state_dict())
    anew = estimated.evaluation_model(iter([(x, u)])).state_dict()
    assert any(not torch.equal(anew[name], again[name]) for name in statistics)


def poison(patch, *, at=8):
    """Losses and weights are NaN from a step on."""
    real, real_step, now = Batches.__call__, Trainer.train_step, []

    def batch(self, step):
        now[:] = [step]
        return real(self, step)

    def train_step(self, x, u, learning_rate):
        return real_step(self, x * float("nan") if now[0] >= at else x, u, learning_rate)

    patch.setattr(Batches, "__call__", batch)
    patch.setattr(Trainer, "train_step", train_step)


def measured(model, step):
    finite = all(value.isfinite().all() for value in model.parameters())
    return {"bpd": 1.0 if finite else float("nan")}, IMAGES[:4]


@pytest.mark.parametrize("keep", ["validation", "training"])
def test_a_divergence_that_is_ignored_is_trained_on(tmp_path, monkeypatch, keep):
    """The history shows it; the weights from before it are kept."""
    poison(monkeypatch)
    run(tmp_path, validate=measured, settings=choose(divergence="ignore", keep=keep))
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["images"].tolist() == [40, 80, 120]
    assert history["restarts"].tolist() == [0, 0, 0]
    assert history["bpd"].isna().tolist() == history["train_bpd"].isna().tolist() == [False, True, True]
    model = build(SPEC, 8)
    checkpoint.load_weights(tmp_path / "weights.safetensors", model)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_a_diverged_training_that_goes_on_is_interrupted_and_continues_to_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(recovery, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(schedule, "LOG_EVERY", 1)
    monkeypatch.setattr(States, "remove", lambda self: None)
    poison(monkeypatch)
    settings = choose(divergence="ignore")
    run(tmp_path / "whole", validate=measured, settings=settings)
    real = Batches.__call__

    def stopped(self, step):
        if step == 12:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Batches, "__call__", stopped)
        with pytest.raises(UserError, match="SIGTERM after step 13"):
            run(tmp_path / "parts", validate=measured, settings=settings)
    run(tmp_path / "parts", validate=measured, settings=settings)
    assert (tmp_path / "whole/weights.safetensors").read_bytes() == (
        tmp_path / "parts/weights.safetensors"
    ).read_bytes()
    histories = [pd.read_csv(tmp_path / name / "history.csv").drop(columns="seconds") for name in ("whole", "parts")]
    pd.testing.assert_frame_equal(*histories, check_exact=True)


def test_a_training_that_was_finite_at_no_validation_is_one_line(tmp_path, monkeypatch):
    poison(monkeypatch, at=0)
    with pytest.raises(UserError, match=r"the loss was finite at no validation; .*training\.divergence: restart"):
        run(tmp_path, validate=measured, settings=choose(divergence="ignore"))
    assert not (tmp_path / "weights.safetensors").exists()
