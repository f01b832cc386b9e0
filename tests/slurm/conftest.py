"""A Slurm of one node on this machine, and a project in it whose training was never killed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from workflow.conftest import Project, tiny

SCRIPT = Path(__file__).with_name("cluster.sh")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
RUN = "results/demo/runs/fvae/seed-0"


@pytest.fixture(scope="session", autouse=True)
def cluster(tmp_path_factory):
    """Slurm runs while the tests do."""
    if not all(map(shutil.which, PROGRAMS)):
        pytest.skip("Slurm is not installed here: apt-get install slurmctld slurmd slurm-client munge")
    if os.geteuid() != 0:
        pytest.skip("Slurm's daemons are started as root")
    folder = tmp_path_factory.mktemp("slurm")
    try:
        subprocess.run([SCRIPT, "start", folder], check=True)
        yield
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=True)


@pytest.fixture(scope="session")
def made_here(tmp_path_factory, cluster) -> Project:
    """A training without Slurm that was never killed."""
    project = tiny(tmp_path_factory.mktemp("here") / "a project")
    project.edit(training__images=16800)
    project.ok("snakemake", "--cores", "1", f"{RUN}/weights.safetensors")
    return project


@pytest.fixture
def project(made_here, tmp_path) -> Project:
    """The same before its training."""
    project = made_here.copy(tmp_path / "a project")
    shutil.rmtree(project.folder / RUN)
    return project
