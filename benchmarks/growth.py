"""How time and memory grow with the work: 1, 4 and 16 times as many images, models, seeds or experiments.

    python benchmarks/growth.py

Each number is of a process of its own, on one thread of the CPU: seconds of the processor, so that other programs
disturb them less, and the peak of its memory. `growth` is (t16 - t4) / (t4 - t1), in which the start of a program
cancels out: 4 where time grows with the work, 16 where it grows with the square; nothing where t4 - t1 is under half a
second, which is noise.
Writes benchmarks/results/growth-DEVICE.json.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import records
import torch
import typer
import yaml
from planning import project

DEVICE = torch.device("cpu")
TIMES = (1, 4, 16)
NOISE = 0.5  # seconds
EXPERIMENT = "growth"
PREPARED, SEEN, MEASURED = 2000, 1600, 250  # images at 1 ×: of the set; of a training; samples and test images
ONE_MODEL = {"vae_dense": None, "vae": None, "glow": None, "fvae_reduced": None, "fvae_conv": None}
METRICS = ("bpd", "swd", "portrait_distance", "random_features", "sharpness")
OF_RUN = ("--experiment", EXPERIMENT, "--model", "fvae")
COMMANDS = {  # in this order, each with what the one before it has made
    "prepare": (PREPARED, ("prepare", "--experiment", EXPERIMENT)),
    "train": (SEEN, ("train", *OF_RUN)),
    "sample": (MEASURED, ("sample", "random", *OF_RUN)),
    **{metric: (MEASURED, ("evaluate", metric, *OF_RUN)) for metric in METRICS},
}
PLANS: dict[str, dict[str, int]] = {  # what `snakemake -n` plans at 1 ×
    "experiments": {"experiments": 1, "seeds": 1},
    "seeds": {"experiments": 1, "seeds": 1},
    "more models": {"experiments": 1, "seeds": 1, "more models": 1},
}


def experiment(times: int) -> dict[str, Any]:
    """A section of params.yaml: the f-VAE of `demo`, with so many times as many images everywhere."""
    images = MEASURED * times
    return {
        "extends": "demo",
        "data": {"train": PREPARED * times, "validation": 64, "test": images},
        "models": ONE_MODEL,
        "training": {
            "images": SEEN * times,
            "cooldown_images": 0,
            "validate_every_images": SEEN * times,
            "validation_images": 64,
        },
        "sampling": {"sheets": {"images": 36}, "random": {"images": images, "draws": 1}},
        "evaluation": {name: {"images": images} for name in ("bpd", "swd", "portrait_distance", "sharpness", "fid")},
        "claims": {"fvae": ["fvae"], "vae": [], "glow": []},
    }


def of_commands(times: int) -> dict[str, tuple[float, float]]:
    """Seconds and MiB of every command, by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, 1, 1)
        file = folder / "params.yaml"
        params = yaml.safe_load(file.read_text())
        params["experiments"][EXPERIMENT] = experiment(times)
        file.write_text(yaml.safe_dump(params, sort_keys=False))
        return {
            command: records.process(folder, "python", "-m", "fvae", *words)[1:]
            for command, (_, words) in COMMANDS.items()
        }


def of_plans(times: int) -> dict[str, tuple[float, float]]:
    """Seconds and MiB of `snakemake -n` with so many times as many of each."""
    found = {}
    for grown, plan in PLANS.items():
        with tempfile.TemporaryDirectory() as name:
            project(Path(name), *(plan | {grown: plan[grown] * times}).values())
            found[f"snakemake -n, {grown}"] = records.process(Path(name), "snakemake", "-n", "--quiet", "all")[1:]
    return found


def growth_of(once: float, four_times: float, sixteen_times: float) -> float | None:
    """The growth between 4 and 16 times the work beside that between 1 and 4 times; None where that is noise."""
    first = four_times - once
    return (sixteen_times - four_times) / first if first >= NOISE else None


def main() -> None:
    """All of them, and the JSON."""
    found = {times: of_commands(times) | of_plans(times) for times in TIMES}
    work = {command: images for command, (images, _) in COMMANDS.items()}
    lines = []
    for name in found[1]:
        seconds, memory = ([found[times][name][index] for times in TIMES] for index in (0, 1))
        growth = growth_of(*seconds)
        lines.append({"what": name, "work": work.get(name, 1), "seconds": seconds, "MiB": memory, "growth": growth})
        print(lines[-1], flush=True)
    records.write("growth-", DEVICE, records.described(DEVICE) | {"times": list(TIMES), "growth": lines})


if __name__ == "__main__":
    typer.run(main)
