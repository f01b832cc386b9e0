"""The training loop: it learns, chooses by held-out images, resumes to the same bits, and stops when it diverges."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from fvae import params
from fvae.errors import UserError
from fvae.models.build import build
from fvae.seeding import seed_everything
from fvae.training import checkpoint, loop
from fvae.training.batches import Batches
from fvae.training.loop import schedule, train

SPEC = params.FVAE(
    kind="fvae",
    learning_rate=1e-3,
    start="data",
    encoder={"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"},
    flow={"levels": 1, "steps": 1, "width": 8, "coupling": "affine", "mixing": "conv1x1", "actnorm": True},
)
SETTINGS = params.Training(
    epochs=3,
    batch=8,
    warmup=2,
    cooldown=1,
    clip=10.0,
    ema=0.9,
    flip=True,
    precision="32-true",
    validate_every=1,
    validation_images=8,
)
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), dtype=np.uint8)


def run(folder, *, validate=lambda model: {"bpd": 1.0}, settings=SETTINGS, images=IMAGES, **changes):
    seed_everything(0, "weights")
    how = {"learning_rate": 1e-3, "start": "data", "seed": 0, "fingerprint": "f"} | changes
    train(build(SPEC, 8), images, folder, settings=settings, validate=validate, **how)


def test_what_is_left_behind(tmp_path):
    run(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"weights.safetensors", "history.csv", "training.json"}
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["images"].tolist() == [40, 80, 120]
    assert history["train_bpd"].iloc[-1] < history["train_bpd"].iloc[0]
    cost = json.loads((tmp_path / "training.json").read_text())
    assert cost["seconds"] > 0
    assert cost["peak_memory"] > 2**20


def test_held_out_images_choose_the_weights(tmp_path):
    """The weights kept are those of the lowest held-out bits/dim, here the second of three."""
    bits, seen = iter([3.0, 1.0, 2.0]), []

    def validate(model):
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"bpd": next(bits)}

    run(tmp_path, validate=validate)
    kept = build(SPEC, 8)
    checkpoint.load_weights(tmp_path / "weights.safetensors", kept)
    for name, value in kept.state_dict().items():
        assert torch.equal(value, seen[1][name]), name


class Killed(BaseException):
    """As a signal would end the process."""


@pytest.mark.parametrize("step", [1, 4, 5, 8, 14])
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path, step, monkeypatch):
    monkeypatch.setattr(loop, "STATE_SECONDS", 0.0)
    monkeypatch.setattr(loop, "LOOK_EVERY", 2)
    run(tmp_path / "whole")
    real = Batches.__call__

    def until(self, now):
        if now == step:
            raise Killed
        return real(self, now)

    with monkeypatch.context() as patch:
        patch.setattr(Batches, "__call__", until)
        with pytest.raises(Killed):
            run(tmp_path / "parts")
    run(tmp_path / "parts")
    whole, parts = (tmp_path / name for name in ("whole", "parts"))
    assert (whole / "weights.safetensors").read_bytes() == (parts / "weights.safetensors").read_bytes()
    columns = ["epoch", "images", "train_bpd", "bpd"]
    pd.testing.assert_frame_equal(
        pd.read_csv(whole / "history.csv")[columns], pd.read_csv(parts / "history.csv")[columns]
    )


def test_a_state_of_other_parameters_or_a_damaged_one_is_not_used(tmp_path):
    file = tmp_path / "state.pt"
    checkpoint.save_state(file, {"fingerprint": "a", "step": 3})
    assert checkpoint.load_state(file, "b") is None
    assert checkpoint.load_state(file, "a") == {"fingerprint": "a", "step": 3}
    file.write_bytes(file.read_bytes()[:100])
    assert checkpoint.load_state(file, "a") is None


def test_a_loss_that_is_not_finite_stops_with_one_line(tmp_path):
    with pytest.raises(UserError, match="not finite at step"):
        run(tmp_path, learning_rate=1e6)
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_batch_larger_than_the_set_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"training\.batch: 8 is more than the 5 training images"):
        run(tmp_path, images=IMAGES[:5])


def test_weights_of_another_model_are_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(UserError, match="not the weights of this model"):
        checkpoint.load_weights(tmp_path / "weights.safetensors", torch.nn.Linear(2, 2))
    with pytest.raises(UserError, match="missing; train the model first"):
        checkpoint.load_weights(tmp_path / "none.safetensors", torch.nn.Linear(2, 2))


def test_an_epoch_sees_every_image_once_and_steps_do_not_depend_on_history():
    model = build(SPEC, 8)
    images = np.arange(40, dtype=np.uint8)[:, None, None, None].repeat(3, 1).repeat(8, 2).repeat(8, 3)
    batches = Batches(images, model, batch=8, flip=False, seed=0, device=torch.device("cpu"))
    seen = [int(value) for step in range(5) for value in ((batches(step)[0][:, 0, 0, 0] + 1) * 128).floor()]
    assert sorted(seen) == list(range(40))
    assert seen != sorted(seen)
    again = Batches(images, model, batch=8, flip=False, seed=0, device=torch.device("cpu"))
    for first, second in zip(batches(7), again(7), strict=True):
        assert torch.equal(first, second)


def test_flips_mirror_about_half_of_the_images():
    model = build(SPEC, 8)
    images = np.arange(8, dtype=np.uint8)[None, None, None, :].repeat(400, 0).repeat(3, 1).repeat(8, 2) * 20
    x, _ = Batches(images, model, batch=400, flip=True, seed=0, device=torch.device("cpu"))(0)
    mirrored = (x[:, 0, 0, 0] > x[:, 0, 0, -1]).float().mean()
    assert 0.4 < mirrored < 0.6


def test_the_schedule_warms_up_and_cools_down():
    factors = [schedule(step, SETTINGS, 5) for step in range(15)]
    assert factors[:3] == [0.5, 1.0, 1.0]
    assert factors[9] == 1.0
    np.testing.assert_allclose(factors[10:], [1.0, 0.8, 0.6, 0.4, 0.2])
