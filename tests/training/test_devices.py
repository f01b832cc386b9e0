"""Two processes on the CPU train as one does with the same batch."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import forked
import numpy as np
import pandas as pd
import program
import pytest
import yaml
from training import ranks
from training.states import assert_same

from fvae import layout, params
from fvae.errors import UserError
from fvae.models.build import build
from fvae.seeding import seed_everything
from fvae.training import loop, recovery, schedule, states
from fvae.training.batches import Batches

pytestmark = pytest.mark.xdist_group("processes")

ROOT = Path(__file__).parents[2]
SIZES = {"expansion": 1.0, "width": 8}  # in place of those that match, which take long to find


SLURM = {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}


def configure(folder, devices, batch=16, learning_rate=4.0e-3, accumulate=1):
    """The demo at a tiny size."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    demo = params["experiments"]["demo"]
    demo["data"] |= {"size": 16, "train": 64, "validation": 8, "test": 36}
    for spec in demo["models"].values():
        spec["learning_rate"] = learning_rate
        for section in ("encoder", "flow"):
            if "levels" in spec.get(section, {}):
                spec[section] |= {"levels": 1, "steps": 1}
            for size in SIZES.keys() & spec.get(section, {}).keys():
                spec[section][size] = SIZES[size]
    demo["training"] |= {
        "images": 2 * 4 * batch,
        "batch_size": batch,
        "cooldown_images": 4 * batch,
        "validate_every_images": 4 * batch,
        "validation_images": 8,
        "devices": devices,
        "accumulate": accumulate,
    }
    demo["evaluation"] = {"swd": {"images": 8, "patches": 4}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def started_by_the_program(folder, *arguments):
    """A process of `python -m fvae` in a job of Slurm, which starts the other one of a training by itself."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | SLURM
    command = [sys.executable, "-m", "fvae", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stderr


def train(folder, model):
    """A training in this process."""
    done = program.run("train", "--experiment", "demo", "--model", model, folder=folder)
    return done.returncode, done.stderr


def train_together(processes, folder, model):
    """A training in two processes that have everything imported."""
    command = ("train", "--experiment", "demo", "--model", model)
    return ranks.run(processes, folder, forked.program, folder, *command)


def history(folder, model):
    """What a training that has ended left."""
    run = folder / layout.Run("demo", model, 0).folder
    assert {path.name for path in run.iterdir()} - {".lock"} == {
        "model.json",
        "weights.safetensors",
        "history.csv",
        "training.json",
        "live",
    }
    assert json.loads((run / "training.json").read_text())["steps"] == 8
    return pd.read_csv(run / "history.csv")


def trained(folder, model):
    """The history of a training by one process."""
    configure(folder, 1)
    code, said = train(folder, model)
    assert code == 0, said
    return history(folder, model)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    configure(folder, 1)
    assert program.run("prepare", "--experiment", "demo", folder=folder).returncode == 0
    return folder


def test_two_processes_give_the_losses_of_one(project):
    """A Glow, which has no BatchNorm: the same numbers but for rounding. A job of Slurm changes nothing."""
    one = trained(project, "glow")
    configure(project, 2)
    code, said = started_by_the_program(project, "train", "--experiment", "demo", "--model", "glow")
    assert code == 0, said
    two = history(project, "glow")
    for column in ("train_bpd", "bpd"):
        np.testing.assert_allclose(one[column], two[column], rtol=1e-5)
    assert (one["train_bpd"] != two["train_bpd"]).any()  # the rounding of two


def test_on_cpus_batch_norm_sees_each_process_s_share(project, processes):
    """Statistics of half a batch: near, and not the same."""
    one = trained(project, "fvae")
    configure(project, 2)
    codes, said = train_together(processes, project, "fvae")
    assert codes == [0, 0], said
    two = history(project, "fvae")
    np.testing.assert_allclose(one["train_bpd"], two["train_bpd"], rtol=0.05)
    assert (one["train_bpd"] != two["train_bpd"]).any()
    configure(project, 1, accumulate=2)
    code, said = train(project, "fvae")
    assert code == 0, said
    in_parts = history(project, "fvae")
    np.testing.assert_allclose(in_parts["train_bpd"], two["train_bpd"], rtol=1e-4)
    assert abs(in_parts["train_bpd"] - two["train_bpd"]).max() < abs(one["train_bpd"] - two["train_bpd"]).max() / 10


def test_a_batch_that_cannot_be_shared_is_one_line(project):
    configure(project, 2, batch=15)
    code, said = train(project, "glow")
    assert code != 0
    assert "training.batch_size: 15 is not a multiple of training.devices, 2" in said
    assert "Traceback" not in said
    configure(project, 2, batch=10, accumulate=2)
    code, said = train(project, "glow")
    assert code != 0
    assert "training.batch_size: 10 is not a multiple of training.devices, 2, times training.accumulate, 2" in said


def test_a_batch_larger_than_the_training_split_is_one_line(project):
    configure(project, 2, batch=128)
    code, said = train(project, "glow")
    assert code != 0
    assert "training.batch_size: 128 images are needed for a batch, but the train split has 64" in said
    assert len(said.splitlines()) == 1


def test_what_stops_all_processes_is_said_by_one(project, processes):
    configure(project, 2, learning_rate=1.0e30)
    codes, said = train_together(processes, project, "glow")
    assert all(codes)
    assert said.count("lower the model's learning_rate") == 1
    assert "Traceback" not in said


FLOW = {"levels": 1, "steps": 1, "width": 8, "coupling": "affine", "mixing": "conv1x1", "actnorm": True}
SPEC = params.FlowModelSpec(kind="flow", learning_rate=1e-3, init="data", flow=FLOW)
SETTINGS = params.load(ROOT / "params.yaml").experiments["demo"].training
SETTINGS = SETTINGS.model_copy(
    update={
        "images": 160,
        "batch_size": 8,
        "warmup_steps": 2,
        "cooldown_images": 80,
        "devices": 2,
        "validate_every_images": 80,
    }
)
IMAGES = np.random.default_rng(0).integers(0, 256, (80, 3, 8, 8), dtype=np.uint8)


def stoppable(folder, seconds, stop):
    """A training by two processes that asks for a save after so many seconds of each; the second has SIGTERM once."""
    rank = int(os.environ["LOCAL_RANK"])
    schedule.LOG_EVERY, recovery.SAVE_SECONDS = 2, seconds[rank]
    states.States.remove = lambda self: None
    batch = Batches.__call__

    def signalled(self, now):
        if now == stop and rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return batch(self, now)

    Batches.__call__ = signalled
    seed_everything(0, "weights")
    how = {"learning_rate": 1e-3, "init": "data", "seed": 0, "fingerprint": "f", "validate": sum_of_weights}
    try:
        loop.train(build(SPEC, 8), IMAGES, folder, settings=SETTINGS, **how)
    except UserError as error:
        sys.exit(f"rank {rank}: {error}")


def sum_of_weights(model, step):
    return {"bpd": float(sum(weight.double().sum() for weight in model.parameters()))}, IMAGES[:4]


def test_processes_save_together_and_stop_together_and_continue_to_the_same_bits(processes, tmp_path):
    """Each has a clock of its own: one asks for a save at every log, the other never."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    codes, said = ranks.run(processes, tmp_path, stoppable, whole, [0, 1e9], None)
    assert codes == [0, 0], said
    assert said.count("160/160") == 1
    codes, said = ranks.run(processes, tmp_path, stoppable, parts, [1e9, 0], 14)
    assert all(codes)
    assert "rank 0: " in said
    assert "SIGTERM after step 16; run it again to continue" in said
    codes, said = ranks.run(processes, tmp_path, stoppable, parts, [1e9, 1e9], None)
    assert codes == [0, 0], said
    assert_same(whole, parts)
