"""Seconds per image of generation, of every model of an experiment: coupling flows beside autoregressive ones.

    PYTHONPATH=. python benchmarks/sampling.py [--experiment family --rounds 5]

samples as `python -m fvae sample` does, on one thread of the CPU, all models in turn in each round; prints the seconds
per image with their range over rounds, and writes benchmarks/results/sampling-DEVICE.json. Weights are untrained, which
does not change how long it takes. Seconds are of the processor, so that other programs disturb them less.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import records
import torch
import typer

from fvae.evaluation.sampling import BATCH, sample
from fvae.memory import keep_freed_memory
from fvae.models.build import build
from fvae.models.match import resolve_one
from fvae.params import Experiment, load
from fvae.seeding import torch_generator


def sampler(experiment: Experiment, model: str) -> Callable[[], Any]:
    """A function that samples one batch of a model."""
    built = build(resolve_one(experiment, model), experiment.data.size, experiment.data.bits)
    built = built.eval().to(memory_format=torch.channels_last)
    return lambda: sample(built, BATCH, torch_generator(0, "sampling"), quiet=True)


def seconds_per_image(run: Callable[[], Any]) -> float:
    """The processor's seconds for one image of a batch."""
    start = time.process_time()
    run()
    return (time.process_time() - start) / BATCH


def measured(runs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, dict[str, float]]:
    """Median and range of each over rounds, after a round to warm up."""
    times: dict[str, list[float]] = {model: [] for model in runs}
    for index in range(rounds + 1):
        for model, run in runs.items():
            spent = seconds_per_image(run)
            times[model] += [spent] if index else []
    return {model: {"median": median(each), "low": min(each), "high": max(each)} for model, each in times.items()}


def main(experiment: str = "family", rounds: int = 5) -> None:
    """Every model, and the JSON."""
    torch.set_num_threads(1)
    keep_freed_memory()  # as the program does
    chosen = load().experiments[experiment]
    found = measured({model: sampler(chosen, model) for model in chosen.models}, rounds)
    for model, each in found.items():
        spread = f"({1e3 * each['low']:.2f} to {1e3 * each['high']:.2f})"
        print(f"{model}: {1e3 * each['median']:.2f} ms per image {spread}")
    cpu = torch.device("cpu")
    settings = {"experiment": experiment, "rounds": rounds, "batch": BATCH}
    records.write("sampling-", cpu, records.described(cpu) | settings | {"seconds_per_image": found})


if __name__ == "__main__":
    typer.run(main)
