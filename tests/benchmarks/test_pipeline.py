"""benchmarks/pipeline.py: the seconds of jobs, which Snakemake notes for each file that a job makes."""

import json
import shutil
from pathlib import Path

import pytest

from fvae.params import load

ROOT = Path(__file__).parents[2]


def test_a_job_of_several_files_counts_once(script, tmp_path):
    folder = tmp_path / ".snakemake" / "metadata"
    folder.mkdir(parents=True)
    train, sample = "python -m fvae train", "python -m fvae sample"
    for name, rule, command, start, end in (
        ("weights", "train", train, 10.0, 40.0),
        ("history", "train", train, 10.001, 40.0),
        ("other weights", "train", f"{train} --seed 1", 10.0, 20.0),
        ("samples", "sample", sample, 40.0, 43.0),
    ):
        noted = {"rule": rule, "shellcmd": command, "starttime": start, "endtime": end}
        (folder / name).write_text(json.dumps(noted))
    rules = script("pipeline").seconds_of_rules(tmp_path)
    assert sorted(rules["train"]) == [pytest.approx(10), pytest.approx(30, abs=0.01)]
    assert rules["sample"] == [3.0]


def test_the_same_work_is_an_experiment_of_the_present_code(script, tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    shutil.copy(script("pipeline").SAME_WORK, tmp_path / "experiments")
    experiment = load(tmp_path / "params.yaml").experiment("same_work")
    assert list(experiment.models) == ["vae", "glow", "fvae"]
    assert (experiment.training.images, experiment.sampling.random.draws) == (60_000, 1)
