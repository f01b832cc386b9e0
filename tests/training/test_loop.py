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
from fvae.training.step import Step

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
    channels_last=True,
    compile=False,
    reversible=False,
    devices=1,
    validate_every=1,
    validation_images=8,
)
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), dtype=np.uint8)


def run(folder, *, validate=lambda model: ({"bpd": 1.0}, IMAGES[:4]), settings=SETTINGS, images=IMAGES, **changes):
    seed_everything(0, "weights")
    how = {"learning_rate": 1e-3, "start": "data", "seed": 0, "fingerprint": "f"} | changes
    train(build(SPEC, 8), images, folder, settings=settings, validate=validate, **how)


def test_what_is_left_behind(tmp_path):
    run(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"weights.safetensors", "history.csv", "training.json", "live"}
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
        return {"bpd": next(bits)}, IMAGES[:4]

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
    columns = ["epoch", "images", "slowdowns", "train_bpd", "bpd"]
    pd.testing.assert_frame_equal(
        pd.read_csv(whole / "history.csv")[columns], pd.read_csv(parts / "history.csv")[columns]
    )


def test_a_state_of_other_parameters_is_not_used(tmp_path):
    checkpoint.States(tmp_path, "a").save({"step": 3})
    assert checkpoint.States(tmp_path, "b").load() is None
    assert checkpoint.States(tmp_path, "a").load() == {"fingerprint": "a", "step": 3}


@pytest.mark.parametrize("damage", ["cut", "a flipped bit", "empty", "not a state", "missing"])
def test_a_damaged_state_is_recognised_and_the_one_before_used(tmp_path, damage):
    states = checkpoint.States(tmp_path, "a")
    for step in (1, 2):
        states.save({"step": step, "weights": torch.arange(1000.0)})
    file = tmp_path / "state.pt"
    whole = file.read_bytes()
    middle = whole.index(torch.tensor([500.0, 501.0]).numpy().tobytes())
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    contents = {"cut": whole[:2000], "a flipped bit": flipped, "empty": b"", "not a state": b"hello"}
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(contents[damage])
    assert states.load()["step"] == 1
    (tmp_path / "state.previous.pt").unlink()
    assert states.load() is None


def test_a_run_that_diverges_goes_back_with_a_smaller_learning_rate(tmp_path, monkeypatch, capsys):
    """A batch of NaN once in the ninth step: back to the last state, half the rate, and to the end."""
    monkeypatch.setattr(loop, "LOOK_EVERY", 1)
    real, poisoned, rates = Step.__call__, [], []

    def step(self, x, u, learning_rate):
        rates.append(learning_rate)
        if len(rates) == 9:
            poisoned.append(1)
            x = x * float("nan")
        return real(self, x, u, learning_rate)

    monkeypatch.setattr(Step, "__call__", step)
    run(tmp_path)
    assert "the loss diverged at step 9; again from step 5, slower" in capsys.readouterr().err
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["slowdowns"].tolist() == [0, 1, 1]
    assert history["epoch"].tolist() == [1, 2, 3]
    assert json.loads((tmp_path / "training.json").read_text())["slowdowns"] == 1
    assert rates[9] == pytest.approx(0.5 * rates[5])  # step 6 again
    assert history["train_bpd"].notna().all()


def test_a_run_that_explodes_is_one_that_diverges(tmp_path, monkeypatch):
    """Finite, but many bits above what it was: not trained on."""
    monkeypatch.setattr(loop, "LOOK_EVERY", 1)
    real, calls = Step.__call__, []

    def step(self, x, u, learning_rate):
        calls.append(1)
        loss = real(self, x, u, learning_rate)
        return loss + 1e6 if len(calls) == 7 else loss

    monkeypatch.setattr(Step, "__call__", step)
    run(tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["slowdowns"] == 1


def test_a_run_that_always_diverges_ends_with_one_line(tmp_path):
    with pytest.raises(UserError, match=r"the loss diverged at step \d+: lower the model's learning_rate"):
        run(tmp_path, learning_rate=1e9)
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


def test_images_that_do_not_fit_are_streamed_to_the_same_batches(tmp_path, monkeypatch):
    """Memory-mapped and read ahead in a thread, or at once on the device: the same bits."""
    model = build(SPEC, 8)
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")

    def batches(resident):
        monkeypatch.setattr("fvae.training.batches.fits", lambda images, device: resident)
        made = Batches(mapped, model, batch=8, flip=True, seed=0, device=torch.device("cpu"))
        return [made.first(12), *(made(step) for step in (0, 1, 2, 7, 3, 3, 14))]

    for first, second in zip(batches(True), batches(False), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_reversible_training_gives_the_same_loss(tmp_path):
    run(tmp_path / "plain")
    run(tmp_path / "reversible", settings=SETTINGS.model_copy(update={"reversible": True}))
    plain, again = (pd.read_csv(tmp_path / name / "history.csv")["train_bpd"] for name in ("plain", "reversible"))
    np.testing.assert_allclose(plain, again, rtol=1e-4)
