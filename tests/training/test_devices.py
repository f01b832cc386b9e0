"""Two processes on the CPU train as one does with the same batch."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from training.states import assert_same

from fvae import layout

ROOT = Path(__file__).parents[2]


def fvae(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "fvae", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def configure(folder, devices, batch=16, learning_rate=4.0e-3):
    """The demo at a tiny size."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    demo = params["experiments"]["demo"]
    demo["data"] |= {"size": 16, "train": 64, "validation": 8, "test": 36}
    for spec in demo["models"].values():
        spec["learning_rate"] = learning_rate
        for section in ("encoder", "flow"):
            if "levels" in spec.get(section, {}):
                spec[section] |= {"levels": 1, "steps": 1}
    demo["match"]["tolerance"] = 0.5
    demo["training"] |= {
        "images": 2 * 4 * batch,
        "batch_size": batch,
        "cooldown_images": 4 * batch,
        "validate_every_images": 4 * batch,
        "validation_images": 8,
        "devices": devices,
    }
    demo["evaluation"] = {"swd": {"images": 8, "patches": 4}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def trained(folder, model, devices):
    configure(folder, devices)
    done = fvae(folder, "train", "--experiment", "demo", "--model", model)
    assert done.returncode == 0, done.stderr
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


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    configure(folder, 1)
    assert fvae(folder, "prepare", "--experiment", "demo").returncode == 0
    return folder


def test_two_processes_give_the_losses_of_one(project):
    """A Glow, which has no BatchNorm: the same numbers but for rounding."""
    one, two = (trained(project, "glow", devices) for devices in (1, 2))
    for column in ("train_bpd", "bpd"):
        np.testing.assert_allclose(one[column], two[column], rtol=1e-5)


def test_on_cpus_batch_norm_sees_each_process_s_share(project):
    """Statistics of half a batch: near, and not the same."""
    one, two = (trained(project, "fvae", devices) for devices in (1, 2))
    np.testing.assert_allclose(one["train_bpd"], two["train_bpd"], rtol=0.05)
    assert (one["train_bpd"] != two["train_bpd"]).any()


def test_a_batch_that_cannot_be_shared_is_one_line(project):
    configure(project, 2, batch=15)
    done = fvae(project, "train", "--experiment", "demo", "--model", "glow")
    assert done.returncode != 0
    assert "training.batch_size: 15 is not a multiple of training.devices, 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_batch_larger_than_the_training_split_is_one_line(project):
    configure(project, 2, batch=128)
    done = fvae(project, "train", "--experiment", "demo", "--model", "glow")
    assert done.returncode != 0
    assert "training.batch_size: 128 images are needed for a batch, but the train split has 64" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_stops_all_processes_is_said_by_one(project):
    configure(project, 2, learning_rate=1.0e30)
    done = fvae(project, "train", "--experiment", "demo", "--model", "glow")
    assert done.returncode != 0
    assert done.stderr.count("lower the model's learning_rate") == 1
    assert "Traceback" not in done.stderr


SCRIPT = """
import json, os, signal, sys
import numpy as np
from fvae import params
from fvae.errors import UserError
from fvae.models.build import build
from fvae.seeding import seed_everything
from fvae.training import loop, recovery, schedule, states
from fvae.training.batches import Batches

rank, how = int(os.environ.get("LOCAL_RANK", 0)), json.loads(sys.argv[2])
schedule.LOG_EVERY, recovery.SAVE_SECONDS = 2, how["seconds"][rank]
states.States.remove = lambda self: None
images = np.random.default_rng(0).integers(0, 256, (80, 3, 8, 8), dtype=np.uint8)
batch = Batches.__call__

def signalled(self, now):
    if now == how["signal"] and rank == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    return batch(self, now)

Batches.__call__ = signalled
flow = {"levels": 1, "steps": 1, "width": 8, "coupling": "affine", "mixing": "conv1x1", "actnorm": True}
spec = params.FlowModelSpec(kind="flow", learning_rate=1e-3, init="data", flow=flow)
settings = params.load(sys.argv[3]).experiments["demo"].training.model_copy(
    update={
        "images": 160, "batch_size": 8, "warmup_steps": 2, "cooldown_images": 80, "devices": 2,
        "validate_every_images": 80,
    }
)
seed_everything(0, "weights")

def validate(model, step):
    return {"bpd": float(sum(weight.double().sum() for weight in model.parameters()))}, images[:4]

try:
    loop.train(
        build(spec, 8), images, __import__("pathlib").Path(sys.argv[1]), settings=settings, learning_rate=1e-3,
        init="data", seed=0, fingerprint="f", validate=validate,
    )
except UserError as error:
    sys.exit(f"rank {rank}: {error}")
"""


def scripted(folder, **how):
    """Two processes of SCRIPT, which have two minutes: their exit code and what they said."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(folder / "run"), json.dumps(how), str(ROOT / "params.yaml")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        try:
            _, said = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail("the processes wait for each other")
    return process.returncode, said


def test_processes_save_together_and_stop_together_and_continue_to_the_same_bits(tmp_path):
    """Each has a clock of its own: one asks for a save at every log, the other never."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    code, said = scripted(whole, seconds=[0, 1e9], signal=None)
    assert code == 0, said
    assert said.count("160/160") == 1
    code, said = scripted(parts, seconds=[1e9, 0], signal=14)
    assert code != 0
    assert "rank 0: " in said
    assert "SIGTERM after step 16; run it again to continue" in said
    code, said = scripted(parts, seconds=[1e9, 1e9], signal=None)
    assert code == 0, said
    assert_same(whole / "run", parts / "run")
