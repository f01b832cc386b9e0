"""A training that real signals stop at any moment continues to the same bits; each runs in its own process."""

import io
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from training.states import assert_same

from fvae import params
from fvae.errors import UserError
from fvae.models.build import build
from fvae.seeding import seed_everything
from fvae.training import recovery, schedule, states
from fvae.training.interruption import Interruption
from fvae.training.loop import train

pytestmark = pytest.mark.xdist_group("processes")

SPEC = params.FVAESpec(
    kind="fvae",
    learning_rate=1e-3,
    init="data",
    encoder={"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"},
    flow={"levels": 1, "steps": 1, "width": 8, "coupling": "affine", "mixing": "conv1x1", "actnorm": True},
)
SETTINGS = params.Training(
    images=960,
    batch_size=8,
    warmup_steps=2,
    cooldown_images=160,
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
    validate_every_images=320,
    validation_images=8,
)
IMAGES = np.random.default_rng(0).integers(0, 256, (160, 3, 8, 8), dtype=np.uint8)


def held_out(model, step):
    """Bits/dim of fixed images with fixed noise: a number that depends on the weights alone."""
    x = torch.from_numpy(IMAGES[:8]).float() / 128 - 1
    with torch.no_grad():
        bpd = float(model(x, model.noise(8, torch.Generator().manual_seed(1))).mean()) / 1000
    return {"bpd": bpd}, IMAGES[:8]


def run(folder):
    """A training that logs and saves at every step, and leaves its last states."""
    states.States.remove = lambda self: None
    recovery.SAVE_SECONDS, schedule.LOG_EVERY = 0.0, 1
    seed_everything(0, "weights")
    train(
        build(SPEC, 8),
        IMAGES,
        folder,
        settings=SETTINGS,
        learning_rate=1e-3,
        init="data",
        seed=0,
        fingerprint="f",
        validate=held_out,
    )


def stoppable(folder):
    """The same; where a signal stops it, it exits with code 3."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the server of processes may ignore it
    try:
        run(folder)
    except UserError as error:
        (folder.parent / "said").write_text(str(error))
        os._exit(3)


def halting(folder, last):
    """The same; it halts in the middle of writing a state after the files named by `last` were written."""
    save, written = torch.save, []

    def halt(state, file):
        written.append(Path(file.name).name)
        if written[-len(last) :] == last:
            save(state, whole := io.BytesIO())
            file.write(whole.getvalue()[: whole.tell() // 2])
            file.flush()
            (folder.parent / "halted").touch()
            time.sleep(600)
        save(state, file)

    torch.save = halt
    run(folder)


@pytest.fixture(scope="module")
def whole(processes, tmp_path_factory):
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    process = processes.Process(target=run, args=(folder,))
    process.start()
    process.join()
    assert process.exitcode == 0
    return folder


def started(processes, target, folder):
    """A process that trains and has written a state."""

    def written():
        state = folder / "state.pt"
        return state.stat().st_mtime_ns if state.exists() else 0

    seen = written()
    process = processes.Process(target=target, args=(folder,))
    process.start()
    while process.is_alive() and written() <= seen:
        time.sleep(0.001)
    return process


NEWEST, VALIDATED = ".state.pt.part", ".state.validated.pt.part"


def test_killed_at_twenty_random_moments(processes, whole, tmp_path):
    """SIGKILL, in steps and in validation, twenty times in one training; and in the middle of each write of a state."""
    moments, folder = random.Random(0), tmp_path / "run"
    within = {2: [NEWEST], 4: [VALIDATED], 6: [VALIDATED, NEWEST]}
    for kill in range(20):
        if kill in within:
            process = processes.Process(target=halting, args=(folder, within[kill]))
            process.start()
            halted = tmp_path / "halted"
            while process.is_alive() and not halted.exists():
                time.sleep(0.001)
            halted.unlink()
            assert (folder / within[kill][-1]).stat().st_size > states.DIGEST
        else:
            process = started(processes, run, folder)
            process.join(moments.uniform(0, 0.02))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    process = started(processes, run, folder)
    process.join()
    assert process.exitcode == 0
    assert_same(whole, folder)
    assert {path.name for path in folder.iterdir()} == {path.name for path in whole.iterdir()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_after_the_step_and_the_run_continues(processes, whole, tmp_path, number):
    folder = tmp_path / "run"
    for _ in range(3):
        process = started(processes, stoppable, folder)
        process.join(0.05)
        os.kill(process.pid, number)
        process.join()
        assert process.exitcode == 3
        assert f"{number.name} after step" in (tmp_path / "said").read_text()
    process = started(processes, stoppable, folder)
    process.join()
    assert process.exitcode == 0
    assert_same(whole, folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_its_handler_restored(number):
    before = signal.getsignal(number)
    with Interruption() as interruption:
        assert interruption.signal == 0
        os.kill(os.getpid(), number)
        assert interruption.signal == number
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_was_ignored_from_the_start_stays_ignored(number):
    """As SIGINT is in a shell script's background jobs, which Ctrl-C in the terminal must not stop."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), number)
            assert interruption.signal == 0
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
