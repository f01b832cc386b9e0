"""benchmarks/pipeline.py: the seconds of jobs, which Snakemake notes for each file that a job makes."""

import json

import pytest


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
    training, others, jobs = script("pipeline").seconds_of_jobs(tmp_path)
    assert training == pytest.approx(40, abs=0.01)
    assert (others, jobs) == (3.0, 1)
