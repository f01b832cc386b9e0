"""Seconds and memory of `snakemake -n` against the number of trainings: with nothing made, and with all.

The peer is a Snakefile with as many jobs and no more than a rule needs, so that it shows what Snakemake takes itself.

    python benchmarks/planning.py

Each line is a copy of the project whose `build` names some experiments that extend `demo` with some seeds, so six
models each. Files that were made are empty, and `snakemake --touch` accepts them. Seconds are of the processor, so that
other programs disturb them less. Writes benchmarks/results/planning-DEVICE.json.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import records
import torch
import typer
import yaml

from workflow.planning import STARTED

ROOT = Path(__file__).parents[1]
COPIED = ("Snakefile", "experiments", "workflow", "profiles", "fvae")
SIZES = ((1, 1), (1, 5), (1, 60), (50, 5), (12, 5))  # experiments, seeds
MADE = ((1, 1), (1, 5), (12, 5))  # those of which the end is planned too
DEVICE = torch.device("cpu")
SIZE = {"size": {"parameters": 10**6, "macs": 2 * 10**7}}  # of each model, from which memory and minutes are estimated
JOBS_OF_CHAIN = 7  # about as many as a training has
BARE = """
rule all:
    input: expand("{{chain}}.{last}", chain=range({chains}))

for job in range(1, {last} + 1):
    rule:
        name: f"job_{{job}}"
        input: f"{{{{chain}}}}.{{job - 1}}" if job > 1 else []
        output: f"{{{{chain}}}}.{{job}}"
        shell: "touch {{output}}"
"""


def project(folder: Path, experiments: int, seeds: int, more_models: int = 0) -> None:
    """The project, which is to build some experiments with some seeds, and with more models than `demo` has."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["build"] = [f"planned_{number}" for number in range(experiments)]
    for name in params["build"]:
        more = {f"more_{number}": {"extends": "fvae"} for number in range(more_models)}
        params["experiments"][name] = {"extends": "demo", "seeds": [*range(seeds)], "models": more}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def measured(experiments: int, seeds: int) -> dict[str, Any]:
    """One line: the numbers of jobs and trainings, and what planning them takes, before and after they were made."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, experiments, seeds)
        plan, seconds, memory = records.process(folder, "snakemake", "-n", "--quiet", "rules", "all")
        jobs, trainings = (int(re.search(rf"^{row} +(\d+)$", plan, re.M)[1]) for row in ("total", "train"))
        found = {"experiments": experiments, "seeds": seeds, "trainings": trainings, "jobs": jobs}
        made = all_made(folder) if (experiments, seeds) in MADE else {}
        return found | {"seconds_bare": bare(jobs), "seconds": seconds, "MiB": memory} | made


def bare(jobs: int) -> float:
    """Seconds of planning about as many jobs, in chains of seven, of rules with an input, an output and a command."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "Snakefile").write_text(BARE.format(chains=jobs // JOBS_OF_CHAIN, last=JOBS_OF_CHAIN))
        return records.process(Path(name), "snakemake", "-n", "--quiet", "rules", "all")[1]


def all_made(folder: Path) -> dict[str, float]:
    """Planning where every file is there, what accepting them took, and how many notes Snakemake keeps of them."""
    for line in records.process(folder, "snakemake", "--summary", "all")[0].splitlines():
        if "\tmissing\t" in line:
            file = folder / line.split("\t")[0]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(SIZE) if file.name == "model.json" else "")
    (folder / STARTED).touch()  # as `make adopt` does
    options = ("--forceall", "--cores", "1", "--quiet", "all", "--", "all")
    _, touching, _ = records.process(folder, sys.executable, "-m", "workflow.touch", *options)
    plan, seconds, memory = records.process(folder, "snakemake", "-n", "all")
    if "Nothing to be done" not in plan:
        sys.exit(f"there is something left to do\n{plan[-2000:]}")
    notes = len([*(folder / ".snakemake" / "metadata").iterdir()])
    found = {"seconds_when_made": seconds, "MiB_when_made": memory, "metadata_files": notes}
    return found | {"seconds_of_touch": touching}


def main() -> None:
    """All sizes in turn, and the JSON."""
    lines = []
    for size in SIZES:
        lines.append(measured(*size))
        print(lines[-1], flush=True)
    records.write("planning-", DEVICE, records.described(DEVICE) | {"planning": lines})


if __name__ == "__main__":
    typer.run(main)
