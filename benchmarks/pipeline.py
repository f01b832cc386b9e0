"""Time of `make` beside that of an older commit: the default experiment, each time from a clean clone, in turn.

    PYTHONPATH=. python benchmarks/pipeline.py [--baseline COMMIT] [--rounds N]

Each clone has the environment of its own lock file, whose installation does not count. Prints the seconds of the
whole, of the trainings and of the other jobs, and the ratios with their spread over rounds, and writes them to
benchmarks/results/pipeline-DEVICE.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import records
import torch
import typer

ROOT = Path(__file__).parents[1]
BASELINE = "e7d11c5"
DEVICE = torch.device("cpu")
INSTALLED = ".venv/.installed"  # what the Makefile makes by installing


def clone(commit: str, folder: Path) -> None:
    """A clean clone at a commit, with the environment of its lock file."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "checkout", "--quiet", commit], check=True)
    subprocess.run(["make", INSTALLED], cwd=folder, check=True, capture_output=True)


def seconds_of_jobs(folder: Path) -> tuple[float, float, int]:
    """The seconds of all trainings, of all other jobs, and the number of those others, as Snakemake noted them."""
    jobs: dict[tuple[str, str], float] = {}
    for file in (folder / ".snakemake" / "metadata").iterdir():
        noted = json.loads(file.read_text())  # of each file that a job makes
        jobs[noted["rule"], noted["shellcmd"]] = noted["endtime"] - noted["starttime"]
    others = [seconds for (rule, _), seconds in jobs.items() if rule != "train"]
    return sum(jobs.values()) - sum(others), sum(others), len(others)


def timed(commit: str) -> dict[str, float]:
    """One run of `make`."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "clone")
        clone(commit, folder)
        start = time.perf_counter()
        done = subprocess.run(["make"], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{commit}: make failed\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        whole = time.perf_counter() - start
        training, others, jobs = seconds_of_jobs(folder)
    print(f"{commit}: {whole:.0f} s; trainings {training:.0f} s, {jobs} other jobs {others:.0f} s", flush=True)
    return {"whole": whole, "trainings": training, "other jobs": others, "number of other jobs": jobs}


def main(
    baseline: Annotated[str, typer.Option()] = BASELINE,
    rounds: Annotated[int, typer.Option()] = 1,
) -> None:
    """Both commits in turn, and the JSON."""
    commit = str(records.described(DEVICE)["commit"])
    if commit.endswith("-dirty"):
        sys.exit("commit what you have changed: clones have only what is committed")
    times: dict[str, list[dict[str, float]]] = {commit: [], baseline: []}
    for _ in range(rounds):
        for each, runs in times.items():
            runs.append(timed(each))
    found = records.described(DEVICE) | {"baseline": baseline, "runs": list(times.values())}
    for part in ("whole", "trainings", "other jobs"):
        seconds = {each: [run[part] for run in runs] for each, runs in times.items()}
        found[part] = {each: median(values) for each, values in seconds.items()}
        share = found[f"{part}: share"] = records.ratio(seconds, baseline, commit)
        print(f"{part}: {share['ratio']:.2f} × ({share['low']:.2f} to {share['high']:.2f})")
    records.write("pipeline-", DEVICE, found)


if __name__ == "__main__":
    typer.run(main)
