"""Two processes on the CPU train as one does with the same batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]


def fvae(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "fvae", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def configure(folder, devices, batch=16):
    """The demo at a tiny size."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    demo = params["experiments"]["demo"]
    demo["data"] |= {"size": 16, "train": 64, "validation": 8, "test": 8}
    for spec in demo["models"].values():
        for section in ("encoder", "flow"):
            if section in spec:
                spec[section] |= {"levels": 1, "steps": 1}
    demo["match"]["tolerance"] = 0.5
    demo["training"] |= {"epochs": 2, "batch": batch, "cooldown": 1, "validation_images": 8, "devices": devices}
    demo["evaluation"]["swd"] = {"images": 8, "patches": 4}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def trained(folder, model, devices):
    configure(folder, devices)
    done = fvae(folder, "train", "--experiment", "demo", "--model", model)
    assert done.returncode == 0, done.stderr
    run = folder / f"results/demo/{model}/seed-0"
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
    assert "training.batch: 15 is not a multiple of training.devices, 2" in done.stderr
    assert "Traceback" not in done.stderr
