"""What all benchmarks share: timing in turn, ratios, and the records in benchmarks/results."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from fvae.files import write_json
from fvae.provenance import software
from fvae.training.machine import device_name

FOLDER = "BENCHMARK_RECORDS"  # a variable that names the folder of the records
RESULTS = Path(os.environ.get(FOLDER, Path(__file__).parent / "results"))
ROUNDS = 5
# A small process starts the command: a peak includes what the process that forked it had, and here that is PyTorch.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"\\n{used.ru_utime + used.ru_stime} {used.ru_maxrss}", end="")
sys.exit(code)
"""


def described(device: torch.device) -> dict[str, Any]:
    """The head of a record: machine, date, commit and versions."""
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {"device": device_name(device), "date": date, **software(), "torch": torch.__version__}


def path(prefix: str, device: torch.device, folder: Path = RESULTS) -> Path:
    """Where a record lies: PREFIX and the name of the machine."""
    return folder / (prefix + re.sub(r"[^a-z0-9]+", "-", device_name(device).lower()).strip("-") + ".json")


def write(prefix: str, device: torch.device, found: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write a record, completely or not at all, and say where it is."""
    file = path(prefix, device, folder)
    write_json(file, found)
    print(f"{file}", flush=True)
    return file


def process(folder: Path, *command: str) -> tuple[str, float, float]:
    """What a command prints in a folder, the seconds of the processor that it takes, and its peak memory in MiB."""
    measure = [sys.executable, "-c", MEASURE, *command]
    done = subprocess.run(measure, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed\n{done.stdout[-2000:]}")
    printed, _, used = done.stdout.rpartition("\n")
    processor, kilobytes = map(float, used.split())
    return printed, processor, kilobytes / 1024


def seconds(run: Callable[[], Any], device: torch.device) -> float:
    """Of one call, the device's work included."""
    wait(device)
    start = time.perf_counter()
    run()
    wait(device)
    return time.perf_counter() - start


def wait(device: torch.device) -> None:
    """Until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def in_turn(runs: dict[str, Callable[[], Any]], device: torch.device, repeats: int = 1) -> dict[str, list[float]]:
    """Seconds of each, in rounds of all after a round to warm up."""
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            times[name].append(seconds(lambda run=run: [run() for _ in range(repeats)], device) / repeats)
    return times


def ratio(times: dict[str, list[float]], ours: str, theirs: str) -> dict[str, float]:
    """How many times as fast ours is: the median over rounds, and the range."""
    ratios = [b / a for a, b in zip(times[ours], times[theirs], strict=True)]
    return {"ratio": median(ratios), "low": min(ratios), "high": max(ratios)}
