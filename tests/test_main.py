"""The commands: bad input is one clear line on standard error and exit code 1."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import program
import pytest
import torch

import fvae.__main__

ROOT = Path(__file__).parents[1]


def process(*arguments, folder):
    """As a user starts it."""
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, "-m", "fvae", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with the parameters and nothing made."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "describe --experiment cats",
            "--experiment: no experiment 'cats'; the experiments are demo, study, study_parameters",
        ),
        ("prepare --experiment celeba64", "data/raw/celeba-hq does not exist; put the archive or the folder of images"),
        ("train --experiment demo --model gan", "--model: 'gan' is not one of vae_dense, vae, glow"),
        ("train --experiment demo --model fvae", "data/demo/images.npy: missing; make it first"),
        ("train --experiment demo --model fvae --seed 3", "--seed: 3 is not one of experiments.demo.seeds (0)"),
        ("sample portraits --experiment demo --model fvae", "TASK: 'portraits' is not one of random, sheets"),
        ("evaluate bpd --experiment demo --model fvae", "data/demo/images.npy: missing"),
        ("table sizes --experiment demo", "runs/vae_dense/model.json: missing; make it first: python -m fvae match"),
        ("table metrics --experiment demo", "bpd.json: missing; make it first: python -m fvae evaluate bpd"),
        ("figure samples --experiment demo", "training.json: missing; make it first: python -m fvae train"),
        ("figure smiles --experiment demo", "NAME: 'smiles' is not one of data, structures"),
    ],
)
def test_bad_input_is_one_line(elsewhere, command, message):
    assert_one_line(program.run(*command.split(), folder=elsewhere), message)
    assert {path.name for path in elsewhere.iterdir()} == {"params.yaml", "experiments"}


def test_a_file_in_the_place_of_a_folder_is_one_line(elsewhere):
    (elsewhere / "results").write_text("")
    assert_one_line(process("match", "--experiment", "demo", "--model", "fvae", folder=elsewhere), "results")


def test_a_seed_below_zero_is_refused(elsewhere):
    done = program.run("train", "--experiment", "demo", "--model", "fvae", "--seed", "-1", folder=elsewhere)
    assert done.returncode != 0
    assert "--seed" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_input_is_one_line_and_exit_code_1_in_a_process(elsewhere):
    done = process("train", "--experiment", "demo", "--model", "fvae", folder=elsewhere)
    assert_one_line(done, "data/demo/images.npy: missing; make it first")
    assert {path.name for path in elsewhere.iterdir()} == {"params.yaml", "experiments"}


def assert_one_line(done, message):
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("fvae: ")
    assert message in lines[0]


@pytest.mark.xdist_group("celeba64")  # whose sizes are found once
def test_describe_tells_effective_beside_nominal_parameters():
    said = program.run("describe", "--experiment", "celeba64", folder=ROOT).stdout
    assert "fvae: 95,830,082 parameters (58,081,346 effective), 1,441.1 M multiply-accumulates per image" in said
    assert "flow.levels.3      43,305,984" in said


@pytest.mark.xdist_group("celeba64")  # whose sizes are found once
def test_describe_as_json():
    described = json.loads(program.run("describe", "--experiment", "celeba64", "--json", folder=ROOT).stdout)
    assert list(described) == ["vae_dense", "vae", "glow", "glow_parameters", "fvae"]
    assert described["fvae"]["parameters"] == 95_830_082
    assert described["fvae"]["effective_parameters"] == 58_081_346
    assert described["fvae"]["latent"]["shapes"] == [[96, 8, 8], [192, 4, 4], [384, 2, 2], [1536, 1, 1]]
    assert described["glow"]["spec"]["flow"]["width"] > 0
    for model in described.values():
        assert sum(model["parts"].values()) == model["parameters"]
        assert model["macs"] > 1e9


def full():
    raise MemoryError


def full_gpu():
    raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")


def too_large_a_tensor():
    torch.empty(2**60, dtype=torch.uint8)


@pytest.mark.parametrize("command", [full, full_gpu, too_large_a_tensor])
def test_memory_that_is_full_is_one_line(monkeypatch, command):
    monkeypatch.setattr(fvae.__main__, "app", command)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with pytest.raises(SystemExit, match="fvae: the memory is full; make room, or lower"):
        fvae.__main__.main()


def test_another_error_is_not_taken_for_full_memory(monkeypatch):
    def wrong():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(fvae.__main__, "app", wrong)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        fvae.__main__.main()
