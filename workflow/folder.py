"""One Snakemake at a time in a folder, and none beside jobs that an earlier one left at work."""

from __future__ import annotations

import subprocess
from pathlib import Path

from filelock import FileLock, Timeout

from fvae.errors import UserError
from fvae.files import lock_folder
from workflow.planning import stop

LOCK = FileLock(".snakemake/running.lock")  # the system frees it when the process ends


def take_folder(cluster: bool) -> None:
    """Take the current folder for this process. Ends the program with one line where others are at work in it.

    Jobs outlive a Snakemake that is killed. The next one would remove their files before it starts the same jobs again,
    so that it must not start before they have ended. `cluster` says that they may also wait in Slurm's queue.
    """
    try:
        LOCK.acquire(timeout=0)  # Snakemake's own lock, which `nolock` switches off, would outlive a killed process
    except Timeout:
        stop("another snakemake is at work in this folder; wait for it, or stop it")
    except OSError as error:
        stop(f"{LOCK.lock_file}: the file system refuses locks ({error.strerror})")
    if cluster and (jobs := queued(Path.cwd())):
        stop(f"Slurm still has jobs of an earlier snakemake here; wait for them, or: scancel {' '.join(jobs)}")
    try:
        for run in Path("results").glob("*/runs/*/seed-*/.lock"):
            lock_folder(run.parent).release()
    except UserError as error:
        stop(error)


def queued(folder: Path) -> list[str]:
    """The numbers of the jobs in Slurm's queue that a Snakemake submitted from a folder: their comments name rules."""
    command = ("squeue", "--me", "--noheader", "--format=%i|%k|%Z")
    try:
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError:  # the cluster is not one of Slurm
        return []
    jobs = [line.split("|", 2) for line in lines if line.count("|") >= 2]
    return [number for number, comment, where in jobs if comment.startswith("rule_") and Path(where) == folder]
