"""A second Snakemake, and one that is started beside jobs of an earlier one that was killed."""

import os
import shutil
import signal
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from workflow.folder import queued, take_folder

WEIGHTS = "results/demo/runs/fvae/seed-0/weights.safetensors"


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Slurm's squeue, which prints the text that a test gives."""

    def says(text: str) -> None:
        program = tmp_path / "bin/squeue"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return says


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    (tmp_path / "here/.snakemake").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")


def test_a_run_that_is_trained_is_named():
    run = Path("results/demo/runs/fvae/seed-0")
    run.mkdir(parents=True)
    with FileLock(run / ".lock"), pytest.raises(SystemExit, match=f"fvae: {run}: another process is at work there"):
        take_folder(cluster=False)


def test_only_jobs_that_a_snakemake_submitted_from_this_folder_are_in_the_way(squeue, tmp_path):
    here = tmp_path / "here"
    lines = [
        f"7|rule_train_wildcards_demo_fvae_0|{here}",
        f"8|rule_sample_wildcards_demo_fvae_0_random|{here}",
        f"9|rule_train_wildcards_demo_fvae_0|{tmp_path}",
        f"10|(null)|{here}",
    ]
    squeue("\n".join(lines))
    assert queued(here) == ["7", "8"]
    with pytest.raises(SystemExit, match="scancel 7 8"):
        take_folder(cluster=True)


def test_an_empty_queue_and_a_cluster_without_slurm(squeue, tmp_path, monkeypatch):
    squeue("")
    assert queued(tmp_path / "here") == []
    monkeypatch.setenv("PATH", str(tmp_path))
    assert queued(tmp_path / "here") == []


@pytest.mark.workflow
@pytest.mark.xdist_group("workflow")
def test_a_training_outlives_its_snakemake_and_nothing_is_lost(finished, tmp_path):
    """Started again beside it, Snakemake says one line and removes nothing. The training is stopped, and goes on."""
    project = finished.copy(tmp_path / "copy")
    project.edit(training__images=8400)
    run = (project.folder / WEIGHTS).parent
    shutil.rmtree(run)
    with project.start("snakemake", "--cores", "1", WEIGHTS) as snakemake:
        training = project.training(snakemake, run)
        training.suspend()
        snakemake.send_signal(signal.SIGKILL)
        snakemake.wait()
    log = (project.folder / "logs/demo/fvae/seed-0/train.log").read_text()

    refused = project.run("snakemake", "--cores", "1", WEIGHTS)
    assert refused.returncode != 0
    assert f"fvae: {run.relative_to(project.folder)}: another process is at work" in refused.stdout + refused.stderr
    assert (run / "model.json").exists()
    assert (project.folder / "logs/demo/fvae/seed-0/train.log").read_text() == log

    training.terminate()
    training.resume()
    psutil.wait_procs([training], timeout=60)
    project.ok("snakemake", "--cores", "1", WEIGHTS)
    assert len(list(run.glob("live/events*"))) == 2
    assert project.planned(WEIGHTS) == []
