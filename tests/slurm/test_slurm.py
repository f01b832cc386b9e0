"""The workflow on a real Slurm of one node: everything, two processes in a job, and trainings that are killed.

`pytest tests/slurm` alone runs these tests, in about a quarter of an hour on two busy cores. They need root and
Debian's packages slurmctld, slurmd, slurm-client and munge.
"""

import subprocess
import time

import psutil
import pytest
from slurm.conftest import RUN
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SUBMIT = ("snakemake", "--profile", "profiles/slurm")
# There is no accounting database here, and jobs take seconds.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10")
WEIGHTS = f"{RUN}/weights.safetensors"


def slurm(*command: str) -> str:
    """The output of one of Slurm's commands."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def wait_until(true, seconds: float = 180):
    """The first true value of a function."""
    until = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < until, f"{true} took more than {seconds} s; {slurm('squeue', '--states=all')}"
        time.sleep(0.2)
    return value


def training_of(project) -> psutil.Process:
    """The process that trains in a project, on the node that this machine is."""
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command = process.info["cmdline"] or []
        if command[1:4] == ["-m", "fvae", "train"] and process.info["cwd"] == str(project.folder):
            return process
    raise AssertionError("no process trains")


def saved(project) -> int:
    """When a training last saved its state, in nanoseconds; 0 where there is none."""
    state = project.folder / RUN / "state.pt"
    return state.stat().st_mtime_ns if state.exists() else 0


def events(project) -> list:
    """The records of TensorBoard: a training writes a new one whenever it starts."""
    return sorted((project.folder / RUN).glob("live/events*"), key=lambda file: file.stat().st_mtime)


def first_step(file) -> int:
    """The first step that a record of TensorBoard has."""
    record = EventAccumulator(str(file)).Reload()
    return min(record.Scalars(tag)[0].step for tag in record.Tags()["scalars"])


@pytest.fixture
def running(project):
    """Snakemake, with a training on the node that has saved a state; and the number of its job.

    The training is held, so that it cannot end before it is killed. Slurm lets it go on when it kills it.
    """
    with project.start(*SUBMIT, *HERE, WEIGHTS) as snakemake:
        try:
            start = wait_until(lambda: saved(project))
            wait_until(lambda: saved(project) not in (0, start))
            training_of(project).suspend()
            yield snakemake, slurm("squeue", "--noheader", "--states=running", "--partition=batch", "--format=%i")
        finally:
            snakemake.terminate()
    for process in psutil.process_iter(["cwd"]):  # a node that is set down leaves its processes where they are
        if process.info["cwd"] == str(project.folder):
            process.kill()


def assert_it_goes_on(project, snakemake, made_here):
    """The training starts a second time, where it was, and ends with the weights of one that was never killed."""
    assert snakemake.wait(400) == 0
    first, second = events(project)
    assert first_step(first) < first_step(second)
    assert (project.folder / WEIGHTS).read_bytes() == (made_here.folder / WEIGHTS).read_bytes()


def test_a_training_killed_by_scancel_goes_on(project, running, made_here):
    snakemake, job = running
    slurm("scancel", job)
    wait_until(lambda: slurm("squeue", "--noheader", "--states=all", "--jobs", job, "--format=%T") == "CANCELLED")
    assert_it_goes_on(project, snakemake, made_here)


def test_a_training_killed_by_its_time_limit_goes_on(project, running, made_here):
    snakemake, job = running
    slurm("scontrol", "update", f"jobid={job}", "timelimit=1")
    wait_until(lambda: slurm("squeue", "--noheader", "--states=all", "--jobs", job, "--format=%T") == "TIMEOUT")
    assert_it_goes_on(project, snakemake, made_here)


def test_a_training_preempted_by_an_urgent_job_goes_on(project, running, made_here):
    snakemake, job = running
    slurm("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=sleep 5")
    wait_until(lambda: slurm("squeue", "--noheader", "--jobs", job, "--format=%T") == "PENDING")
    assert_it_goes_on(project, snakemake, made_here)
    assert slurm("squeue", "--noheader", "--states=all", "--jobs", job, "--format=%T") == "COMPLETED"


def test_a_training_goes_on_when_its_node_comes_back(project, running, made_here):
    snakemake, job = running
    slurm("scontrol", "update", "nodename=node", "state=down", "reason=test")
    wait_until(lambda: slurm("squeue", "--noheader", "--jobs", job, "--format=%T") == "PENDING")
    slurm("scontrol", "update", "nodename=node", "state=resume")
    assert_it_goes_on(project, snakemake, made_here)
    assert slurm("squeue", "--noheader", "--states=all", "--jobs", job, "--format=%T") == "COMPLETED"


def test_a_job_outlives_its_snakemake(project, running, made_here):
    """Snakemake is killed, and started again beside its job: it says one line. Without the job it goes on."""
    snakemake, job = running
    snakemake.kill()
    snakemake.wait()
    refused = project.run(*SUBMIT, *HERE, WEIGHTS)
    assert refused.returncode != 0
    assert f"scancel {job}\n" in refused.stdout + refused.stderr
    slurm("scancel", job)
    wait_until(lambda: not slurm("squeue", "--noheader", "--jobs", job, "--format=%T"))
    with project.start(*SUBMIT, *HERE, WEIGHTS) as again:
        assert_it_goes_on(project, again, made_here)


def test_two_processes_train_in_one_job(project, made_here, tmp_path):
    """Their weights are those of two processes that were started without Slurm, and not those of one."""
    project.edit(training__devices=2)
    here = project.copy(tmp_path / "here")
    here.ok("snakemake", "--cores", "2", WEIGHTS)
    project.ok(*SUBMIT, *HERE, WEIGHTS)
    together, alone = ((each.folder / WEIGHTS).read_bytes() for each in (here, made_here))
    assert (project.folder / WEIGHTS).read_bytes() == together != alone


def test_everything_is_made_through_slurm(project, made_here):
    project.ok(*SUBMIT, *HERE, "all")
    assert (project.folder / "paper_figures/demo/paper.pdf").exists()
    assert (project.folder / WEIGHTS).read_bytes() == (made_here.folder / WEIGHTS).read_bytes()
    assert project.planned() == []
