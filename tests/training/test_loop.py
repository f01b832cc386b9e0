"""The training loop: it learns, chooses the best weights, resumes to the same bits, and stops when it diverges."""

import json
import os
import random
import re
import signal
import time

import numpy as np
import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training.states import assert_same

from fvae import files, params, progress
from fvae.errors import UserError
from fvae.models.build import build
from fvae.seeding import seed_everything
from fvae.training import checkpoint, ema, recovery, results, schedule, states
from fvae.training.batches import Batches
from fvae.training.loop import train
from fvae.training.schedule import Schedule
from fvae.training.states import FORMAT, States
from fvae.training.trainer import Trainer

SPEC = params.FVAESpec(
    kind="fvae",
    learning_rate=1e-3,
    init="data",
    encoder={"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"},
    flow={"levels": 1, "steps": 1, "width": 8, "coupling": "affine", "mixing": "conv1x1", "actnorm": True},
)
SETTINGS = params.Training(
    images=120,
    batch_size=8,
    warmup_steps=2,
    cooldown_images=40,
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
    validate_every_images=40,
    validation_images=8,
)
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), dtype=np.uint8)


def held_out(model, step):
    return {"bpd": 1.0, "swd": float(step)}, IMAGES[:4]


def run(folder, *, validate=held_out, settings=SETTINGS, images=IMAGES, **changes):
    seed_everything(0, "weights")
    how = {"learning_rate": 1e-3, "init": "data", "seed": 0, "fingerprint": "f"} | changes
    train(build(SPEC, 8), images, folder, settings=settings, validate=validate, **how)


def test_what_is_left_behind(tmp_path):
    run(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"weights.safetensors", "history.csv", "training.json", "live"}
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["images"].tolist() == [40, 80, 120]
    assert history["swd"].tolist() == [5, 10, 15]  # the steps after which the model was validated
    assert history["train_bpd"].iloc[-1] < history["train_bpd"].iloc[0]
    cost = json.loads((tmp_path / "training.json").read_text())
    assert cost["seconds"] > 0
    assert cost["peak_memory"] > 2**20


def test_held_out_images_choose_the_weights(tmp_path):
    """The weights kept are those of the lowest held-out bits/dim, here the second of three."""
    bits, seen = iter([3.0, 1.0, 2.0]), []

    def validate(model, step):
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"bpd": next(bits)}, IMAGES[:4]

    run(tmp_path, validate=validate)
    kept = build(SPEC, 8)
    checkpoint.load_weights(tmp_path / "weights.safetensors", kept)
    for name, value in kept.state_dict().items():
        assert torch.equal(value, seen[1][name]), name


class Killed(BaseException):
    """As a signal would end the process."""


def run_until(step, folder, patch, **changes):
    """A run that is killed before a step."""
    real = Batches.__call__

    def until(self, now):
        if now == step:
            raise Killed
        return real(self, now)

    with patch.context() as context:
        context.setattr(Batches, "__call__", until)
        with pytest.raises(Killed):
            run(folder, **changes)


def save_often(patch):
    """At every log, of which there is one in two steps; and the last states stay."""
    patch.setattr(recovery, "SAVE_SECONDS", 0.0)
    patch.setattr(schedule, "LOG_EVERY", 2)
    patch.setattr(States, "remove", lambda self: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        save_often(patch)
        run(folder)
    return folder


@pytest.mark.xdist_group("whole run")
@pytest.mark.parametrize("step", [1, 4, 5, 8, 14])
def test_an_interrupted_run_continues_to_the_same_bits(whole, tmp_path, step, monkeypatch):
    save_often(monkeypatch)
    run_until(step, tmp_path, monkeypatch)
    run(tmp_path)
    assert_same(whole, tmp_path)


def test_what_an_earlier_training_left_is_deleted_before_the_first_step(tmp_path, monkeypatch):
    files = [tmp_path / name for name in ("weights.safetensors", "training.json", "history.csv")]
    for file in files:
        file.write_text("of an earlier training")
    run_until(0, tmp_path, monkeypatch)
    assert not any(file.exists() for file in files)


def test_a_training_that_is_continued_keeps_its_history(tmp_path, monkeypatch):
    save_often(monkeypatch)
    run_until(8, tmp_path, monkeypatch)
    before = (tmp_path / "history.csv").read_bytes()
    run_until(9, tmp_path, monkeypatch)  # before the next validation
    assert (tmp_path / "history.csv").read_bytes() == before


def test_every_device_of_a_training_is_named_also_after_it_went_back(tmp_path, monkeypatch):
    """The second device ran after the validation to which the third goes back."""
    save_often(monkeypatch)
    for name, step in (("first", 6), ("second", 8)):
        monkeypatch.setattr("fvae.training.record.device_name", lambda _, name=name: name)
        run_until(step, tmp_path, monkeypatch)
    monkeypatch.setattr("fvae.training.record.device_name", lambda _: "third")
    real = Trainer.train_step
    monkeypatch.setattr(
        Trainer, "train_step", lambda self, x, u, rate: real(self, x * (float("nan") if rate == 1e-3 else 1), u, rate)
    )
    run(tmp_path)
    cost = json.loads((tmp_path / "training.json").read_text())
    assert (cost["device"], cost["restarts"]) == ("first; second; third", 1)


def test_a_state_of_other_parameters_is_not_used(tmp_path):
    States(tmp_path, "a").save({"step": 3}, validated=True)
    found = States(tmp_path, "b").find()
    assert found.state is None
    assert "state.pt is of other parameters" in found.remark
    assert States(tmp_path, "a").find().state["step"] == 3


@pytest.mark.parametrize("damage", ["cut", "a flipped bit", "empty", "not a state", "missing"])
def test_a_damaged_state_is_recognised_and_the_one_before_used(tmp_path, damage):
    saved = States(tmp_path, "a")
    saved.save({"step": 1, "weights": torch.arange(1000.0)}, validated=True)
    saved.save({"step": 2, "weights": torch.arange(1000.0)}, validated=False)
    file = tmp_path / "state.pt"
    whole = file.read_bytes()
    middle = whole.index(torch.tensor([500.0, 501.0]).numpy().tobytes())
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    contents = {"cut": whole[:2000], "a flipped bit": flipped, "empty": b"", "not a state": b"hello"}
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(contents[damage])
    said = None if damage == "missing" else "state.pt is damaged; the training continues from state.validated.pt"
    assert saved.find().state["step"] == 1
    assert saved.find().remark == said
    (tmp_path / "state.validated.pt").unlink()
    said = None if damage == "missing" else "state.pt is damaged; the training starts anew"
    assert saved.find() == (None, said, False)


def test_any_bit_of_a_state_that_flips_is_noticed(tmp_path):
    saved, choices = States(tmp_path, "a"), random.Random(0)
    saved.save({"step": 1}, validated=True)
    saved.save({"step": 2, "weights": torch.arange(50.0), "history": [{"bpd": 1.0}]}, validated=False)
    whole = (tmp_path / "state.pt").read_bytes()
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[choices.randrange(len(whole))] ^= 1 << choices.randrange(8)
        (tmp_path / "state.pt").write_bytes(damaged)
        assert saved.find().state["step"] == 1


def test_a_state_of_an_earlier_format_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(states, "FORMAT", FORMAT - 1)
    States(tmp_path, "a").save({"step": 3}, validated=True)
    assert States(tmp_path, "a").find().state["step"] == 3
    monkeypatch.undo()
    found = States(tmp_path, "a").find()
    assert found.state is None
    assert "state.pt has the format of an earlier version" in found.remark


@pytest.mark.parametrize("damage", [b"", b"<<<<<<< HEAD\n", b"\xff" * 100])
def test_a_run_among_damaged_files_starts_again(tmp_path, damage):
    """States, and results of an earlier run, that are empty, hold marks of a conflict, or are not text."""
    run(tmp_path / "whole")
    (tmp_path / "damaged").mkdir()
    for name in ("state.pt", "state.validated.pt", "training.json", "history.csv", "weights.safetensors"):
        (tmp_path / "damaged" / name).write_bytes(damage)
    run(tmp_path / "damaged")
    assert {path.name for path in (tmp_path / "damaged").iterdir()} == {p.name for p in (tmp_path / "whole").iterdir()}
    cost = json.loads((tmp_path / "damaged/training.json").read_text())
    assert cost["weights_sha256"] == files.sha256(tmp_path / "whole/weights.safetensors")
    assert cost["weights_sha256"] == files.sha256(tmp_path / "damaged/weights.safetensors")
    histories = [pd.read_csv(tmp_path / name / "history.csv").drop(columns="seconds") for name in ("whole", "damaged")]
    pd.testing.assert_frame_equal(*histories, check_exact=True)


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(files.os, name, lambda *a, name=name, real=real: (calls.append(name), real(*a)))
    files.write_text(tmp_path / "text", "whole")
    assert calls == ["fsync", "replace"]
    assert (tmp_path / "text").read_text() == "whole"


def test_a_run_killed_in_its_finish_leaves_all_files_when_it_continues(tmp_path, monkeypatch):
    """As Snakemake starts it again: without the outputs of the job that failed."""

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(results, "write_json", killed)
        with pytest.raises(Killed):
            run(tmp_path)
    for name in ("history.csv", "weights.safetensors"):
        (tmp_path / name).unlink()
    run(tmp_path)
    assert pd.read_csv(tmp_path / "history.csv")["images"].tolist() == [40, 80, 120]
    assert {"weights.safetensors", "training.json"} < {path.name for path in tmp_path.iterdir()}


def test_the_evaluated_model_is_the_average_with_its_own_statistics(tmp_path, monkeypatch):
    made, evaluated = [], []
    real = Trainer.__init__
    monkeypatch.setattr(Trainer, "__init__", lambda self, *a: (made.append(self), real(self, *a))[1])

    def validate(model, step):
        evaluated.append(model)
        (trainer,) = made
        assert model is trainer.ema.model
        assert not model.training
        assert all(not torch.equal(a, b) for a, b in zip(model.parameters(), trainer.model.parameters(), strict=True))
        batches = Batches(IMAGES, model, batch_size=8, flip=True, seed=0, device=trainer.device)
        kept = {name: value.clone() for name, value in model.state_dict().items()}
        for name, value in trainer.evaluation_model(batches.fixed(ema.BATCH_NORM_IMAGES)).state_dict().items():
            assert torch.equal(value, kept[name]), name
        return {"bpd": 1.0}, IMAGES[:4]

    run(tmp_path, validate=validate)
    assert len(evaluated) == 3


def test_progress_shows_images_per_second_loss_and_time_left(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    monkeypatch.setattr(schedule, "LOG_EVERY", 1)
    run(tmp_path)
    line = r"training .*: +\d+%.* \d+/120 \[\S+<[\d:]+, +[\d.]+ images/s, \d+\.\d{3} bits/dim\]"
    assert re.search(line, capsys.readouterr().err)


def test_losses_and_samples_are_logged_live(tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, "LOG_EVERY", 2)
    run(tmp_path)
    events = EventAccumulator(str(tmp_path / "live"))
    events.Reload()
    assert [point.step for point in events.Scalars("train/bpd")] == [1, 2, 4, 5, 6, 8, 10, 12, 14, 15]
    assert [point.step for point in events.Scalars("validation/bpd")] == [5, 10, 15]
    assert [sheet.step for sheet in events.Images("samples")] == [5, 10, 15]


def test_a_run_that_diverges_goes_back_with_a_smaller_learning_rate(tmp_path, monkeypatch, capsys):
    """A batch of NaN once in the ninth step: back to the last state, half the rate, and to the end."""
    monkeypatch.setattr(schedule, "LOG_EVERY", 1)
    real, poisoned, rates = Trainer.train_step, [], []

    def step(self, x, u, learning_rate):
        rates.append(learning_rate)
        if len(rates) == 9:
            poisoned.append(1)
            x = x * float("nan")
            time.sleep(0.5)  # so that the seconds of what is lost can be told from the others
        return real(self, x, u, learning_rate)

    monkeypatch.setattr(Trainer, "train_step", step)
    run(tmp_path)
    assert (
        "the loss diverged at step 9; training continues from step 5 with a smaller learning rate"
        in capsys.readouterr().err
    )
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["restarts"].tolist() == [0, 1, 1]
    assert history["images"].tolist() == [40, 80, 120]
    assert json.loads((tmp_path / "training.json").read_text())["restarts"] == 1
    assert rates[9] == pytest.approx(0.5 * rates[5])  # step 6 again
    assert history["seconds"].diff()[1] > 0.5
    assert history["train_bpd"].notna().all()


def test_a_run_that_explodes_is_one_that_diverges(tmp_path, monkeypatch):
    """Finite, but many bits above what it was: not trained on."""
    monkeypatch.setattr(schedule, "LOG_EVERY", 1)
    real, calls = Trainer.train_step, []

    def step(self, x, u, learning_rate):
        calls.append(1)
        loss = real(self, x, u, learning_rate)
        return loss + 1e6 if len(calls) == 7 else loss

    monkeypatch.setattr(Trainer, "train_step", step)
    run(tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["restarts"] == 1


def poisoned(folder, patch, *, seconds, signals):
    """A run whose ninth step is NaN at the full rate; its states saved so often, and SIGTERM before these steps."""
    real_batch, real_step, at, left = Batches.__call__, Trainer.train_step, [], list(signals)

    def batch(self, now):
        at[:] = [now]
        if now in left:
            left.remove(now)
            os.kill(os.getpid(), signal.SIGTERM)
        return real_batch(self, now)

    def step(self, x, u, learning_rate):
        return real_step(self, x * float("nan") if at == [8] and learning_rate == 1e-3 else x, u, learning_rate)

    patch.setattr(schedule, "LOG_EVERY", 4)
    patch.setattr(recovery, "SAVE_SECONDS", seconds)
    patch.setattr(States, "remove", lambda self: None)
    patch.setattr(Batches, "__call__", batch)
    patch.setattr(Trainer, "train_step", step)
    for _ in signals:
        with pytest.raises(UserError, match="SIGTERM after step"):
            run(folder)
        for state in (States(folder, "f").find().state, States(folder, "f").load_validated()):
            assert all(value.isfinite().all() for value in state["trainer"]["model"].values())
    run(folder)


@pytest.fixture(scope="module")
def whole_and_poisoned(tmp_path_factory):
    """A run that diverges once, saves at validations alone and sees no signal."""
    folder = tmp_path_factory.mktemp("poisoned")
    with pytest.MonkeyPatch.context() as patch:
        poisoned(folder, patch, seconds=60.0, signals=())
    return folder


@pytest.mark.xdist_group("whole run")
@pytest.mark.parametrize("signals", [(), (6,), (8,), (9,), (6, 8, 9, 12)])
@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_where_a_diverged_run_goes_back_to_depends_on_no_clock_or_signal(
    whole_and_poisoned, tmp_path, monkeypatch, seconds, signals
):
    """Also where the signal comes between the NaN and the log that finds it."""
    poisoned(tmp_path, monkeypatch, seconds=seconds, signals=signals)
    assert pd.read_csv(whole_and_poisoned / "history.csv")["restarts"].tolist() == [0, 1, 1]
    assert_same(whole_and_poisoned, tmp_path)


def test_an_explosion_before_the_second_log_is_noticed(tmp_path):
    """At such a rate the loss of five steps is finite, and many bits above the start's."""
    settings = SETTINGS.model_copy(update={"warmup_steps": 0, "cooldown_images": 0})
    with pytest.raises(UserError, match="the loss diverged at step 5"):
        run(tmp_path, learning_rate=1.0, settings=settings)


@pytest.mark.parametrize("loss", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("at", [1, 3])
def test_a_loss_that_is_not_finite_makes_a_run_go_back(tmp_path, monkeypatch, loss, at):
    real, calls = Trainer.train_step, []

    def step(self, x, u, learning_rate):
        calls.append(1)
        return real(self, x, u, learning_rate) + (loss if len(calls) == at else 0.0)

    monkeypatch.setattr(Trainer, "train_step", step)
    run(tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["restarts"] == 1


def test_a_run_that_always_diverges_ends_with_one_line(tmp_path):
    with pytest.raises(UserError, match=r"the loss diverged at step \d+; lower the model's learning_rate"):
        run(tmp_path, learning_rate=1e9)
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_batch_larger_than_the_set_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"training\.batch_size: 8 is more than the 5 training images"):
        run(tmp_path, images=IMAGES[:5])


def test_a_batch_of_one_image_is_refused_where_the_model_has_batch_norm(tmp_path):
    with pytest.raises(UserError, match=r"training\.batch_size: 1 leaves one image for each part"):
        run(tmp_path, settings=SETTINGS.model_copy(update={"batch_size": 1}))


@pytest.mark.parametrize("damage", [b"", b"<<<<<<< HEAD\n", b"\xff" * 100])
def test_damaged_weights_are_refused(tmp_path, damage):
    (tmp_path / "weights.safetensors").write_bytes(damage)
    with pytest.raises(UserError, match="not the weights of this model"):
        checkpoint.load_weights(tmp_path / "weights.safetensors", build(SPEC, 8))


def test_weights_of_another_model_are_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(UserError, match="not the weights of this model"):
        checkpoint.load_weights(tmp_path / "weights.safetensors", torch.nn.Linear(2, 2))
    with pytest.raises(UserError, match="missing; train the model first"):
        checkpoint.load_weights(tmp_path / "none.safetensors", torch.nn.Linear(2, 2))


def test_an_epoch_sees_every_image_once_and_steps_do_not_depend_on_history():
    model = build(SPEC, 8)
    images = np.arange(40, dtype=np.uint8)[:, None, None, None].repeat(3, 1).repeat(8, 2).repeat(8, 3)
    batches = Batches(images, model, batch_size=8, flip=False, seed=0, device=torch.device("cpu"))
    seen = [int(value) for step in range(5) for value in ((batches(step)[0][:, 0, 0, 0] + 1) * 128).floor()]
    assert sorted(seen) == list(range(40))
    assert seen != sorted(seen)
    again = Batches(images, model, batch_size=8, flip=False, seed=0, device=torch.device("cpu"))
    for first, second in zip(batches(7), again(7), strict=True):
        assert torch.equal(first, second)


def test_flips_mirror_about_half_of_the_images():
    model = build(SPEC, 8)
    images = np.arange(8, dtype=np.uint8)[None, None, None, :].repeat(400, 0).repeat(3, 1).repeat(8, 2) * 20
    x, _ = Batches(images, model, batch_size=400, flip=True, seed=0, device=torch.device("cpu"))(0)
    mirrored = (x[:, 0, 0, 0] > x[:, 0, 0, -1]).float().mean()
    assert 0.4 < mirrored < 0.6


def test_the_schedule_warms_up_and_cools_down():
    factors = [Schedule(SETTINGS, 1e-3).factor(step) for step in range(15)]
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
        made = Batches(mapped, model, batch_size=8, flip=True, seed=0, device=torch.device("cpu"))
        return [made.first(12), *(made(step) for step in (0, 1, 2, 7, 3, 3, 14))]

    for first, second in zip(batches(True), batches(False), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_reversible_training_gives_the_same_loss(tmp_path):
    run(tmp_path / "plain")
    run(tmp_path / "reversible", settings=SETTINGS.model_copy(update={"reversible": True}))
    plain, again = (pd.read_csv(tmp_path / name / "history.csv")["train_bpd"] for name in ("plain", "reversible"))
    np.testing.assert_allclose(plain, again, rtol=1e-4)
