"""Time of `make` beside that of an older commit: the default experiment, each time from a clean clone, in turn.

    PYTHONPATH=. python benchmarks/pipeline.py [--rounds N]

The default experiment has more models now than then, so that same_work.yaml is timed too: the models, images and
samples of then, with the code of now. Each clone has the environment of its own lock file, whose installation does not
count. Prints the seconds of the whole, of the trainings and of the other jobs, and the shares with their spread over
rounds, and writes them to benchmarks/results/pipeline-DEVICE.json.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import records
import torch
import typer

ROOT = Path(__file__).parents[1]
BASELINE = "e7d11c5"
SAME_WORK = Path(__file__).with_name("same_work.yaml")
DEVICE = torch.device("cpu")
INSTALLED = ".venv/.installed"  # what the Makefile makes by installing
PARTS = ("whole", "trainings", "other jobs")


def clone(commit: str, folder: Path) -> None:
    """A clean clone at a commit, with the environment of its lock file."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "checkout", "--quiet", commit], check=True)
    subprocess.run(["make", INSTALLED], cwd=folder, check=True, capture_output=True)


def seconds_of_rules(folder: Path) -> dict[str, list[float]]:
    """The seconds of each job of each rule, as Snakemake noted them."""
    jobs: dict[tuple[str, str], float] = {}
    for file in (folder / ".snakemake" / "metadata").iterdir():
        noted = json.loads(file.read_text())  # of each file that a job makes
        jobs[noted["rule"], noted["shellcmd"]] = noted["endtime"] - noted["starttime"]
    rules = defaultdict(list)
    for (rule, _), seconds in jobs.items():
        rules[rule].append(seconds)
    return rules


def timed(commit: str, *, same_work: bool = False) -> dict[str, Any]:
    """One run of `make`, or of the experiment `same_work`."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "clone")
        clone(commit, folder)
        command = ["make"]
        if same_work:
            shutil.copy(SAME_WORK, folder / "experiments")
            command = [".venv/bin/snakemake", "--cores", "all", "same_work"]
        start = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{commit}: {' '.join(command)} failed\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        whole = time.perf_counter() - start
        rules = seconds_of_rules(folder)
    others = [second for rule, seconds in rules.items() if rule != "train" for second in seconds]
    found = {"whole": whole, "trainings": sum(rules["train"]), "other jobs": sum(others)}
    by_rule = {rule: {"jobs": len(seconds), "seconds": sum(seconds)} for rule, seconds in sorted(rules.items())}
    return found | {"number of other jobs": len(others), "rules": by_rule}


def main(rounds: Annotated[int, typer.Option()] = 1) -> None:
    """The older commit, the same work now, and `make` now, in turn; and the JSON."""
    described = records.described(DEVICE)
    commit = str(described["commit"])
    if commit.endswith("-dirty"):
        sys.exit("commit what you have changed: clones have only what is committed")
    runs: dict[str, list[dict[str, Any]]] = {"then": [], "same work": [], "now": []}
    for _ in range(rounds):
        runs["then"].append(timed(BASELINE))
        runs["same work"].append(timed(commit, same_work=True))
        runs["now"].append(timed(commit))
        for name, each in runs.items():
            print(f"{name}: " + ", ".join(f"{part} {each[-1][part]:.0f} s" for part in PARTS), flush=True)
    found = described | {"baseline": BASELINE, "runs": runs}
    for part in PARTS:
        seconds = {name: [run[part] for run in each] for name, each in runs.items()}
        found[part] = {name: median(values) for name, values in seconds.items()}
        for name in ("same work", "now"):
            share = found[f"{part}: {name}"] = records.ratio(seconds, "then", name)
            print(f"{part}, {name}: {share['ratio']:.2f} × ({share['low']:.2f} to {share['high']:.2f})")
    records.write("pipeline-", DEVICE, found)


if __name__ == "__main__":
    typer.run(main)
