"""The memory and minutes that a job asks for: from benchmark files of earlier runs, or from its experiment's size.

An estimate that is too low costs a retry, which asks for twice as much. A training then goes on where it was.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from fvae import layout
from fvae.errors import UserError
from fvae.files import read_json
from workflow.planning import Plan, Wildcards, stop

# Multiply-accumulates per second. One thread of docs/benchmarks.md's AMD did 22e9 to 64e9 in trainings of `study` and
# `faces64`. The number for a GPU is assumed; it was not measured.
THREAD_SPEED, GPU_SPEED = 20e9, 1e12
INCEPTION_MACS = 5.7e9  # of FID's network, for one image
LEAST_MINUTES, LEAST_MB = 15, 3000  # Python with PyTorch takes 600 MB; the evaluations of `faces64` took 1,800
MARGIN = 2  # over what an earlier run took
PARAMETER_BYTES = 32  # weights, gradient, two moments, moving average, and their copy while a state is saved
ACTIVATION_BYTES = 0.4  # for each multiply-accumulate of a batch; 0.3 lie between trainings at 32×32 and at 64×64


class _Matched(TypedDict):
    """What is read of model.json."""

    size: dict[str, Any]


class Estimates:
    """What rules declare as resources; Snakemake calls `memory` and `minutes` for each job, again before it starts."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def needs(self, gpus: int | Callable[[Wildcards], int] = 0) -> dict[str, Any]:
        """The resources of a job and its GPUs: Slurm reads `gpu`, and profiles/default limits `gpus` on one machine."""
        return {"mem_mb": self.memory, "runtime": self.minutes, "gpu" if self.plan.cluster else "gpus": gpus}

    def memory(self, wildcards: Wildcards, rulename: str, attempt: int) -> int:
        """Main memory in MB."""
        megabytes = MARGIN * _earlier(rulename, wildcards, "max_rss") or self._memory(wildcards, rulename)
        return ceil(max(megabytes, LEAST_MB) * 2 ** (attempt - 1))

    def minutes(self, wildcards: Wildcards, threads: int, rulename: str, attempt: int) -> int:
        """Minutes, at the speed of a CPU or of a GPU."""
        speed = GPU_SPEED if self.plan.gpu else threads * THREAD_SPEED
        seconds = MARGIN * _earlier(rulename, wildcards, "s") or self._macs(wildcards, rulename) / speed
        return ceil((LEAST_MINUTES + seconds / 60) * 2 ** (attempt - 1))

    def _memory(self, wildcards: Wildcards, rule: str) -> float:
        size = _size(wildcards)
        total = LEAST_MB + (2 * _bytes_of_images(wildcards) + PARAMETER_BYTES * size.get("parameters", 0)) * 1e-6
        if rule != "train":
            return total
        training = self.plan.experiment(wildcards).training
        batch = 0 if self.plan.gpu else training.batch_size / training.accumulate  # a GPU has memory of its own
        return total * training.devices + ACTIVATION_BYTES * batch * size.get("macs", 0) * 1e-6

    def _macs(self, wildcards: Wildcards, rule: str) -> float:
        """Multiply-accumulates; a backward pass has twice those of a forward pass."""
        experiment = self.plan.experiment(wildcards)
        sampling, evaluation = experiment.sampling, experiment.evaluation
        of_model = _size(wildcards).get("macs", 0)
        if rule == "train":
            return 3 * of_model * experiment.training_of(wildcards.model).images
        if rule == "evaluate_fid":
            return INCEPTION_MACS * sampling.random.draws * evaluation.fid.images
        if rule in ("reference", "floor"):
            return INCEPTION_MACS * _bytes_of_images(wildcards) / (3 * experiment.data.size**2)
        if rule == "evaluate_bpd":
            return of_model * evaluation.bpd.images * (1 + evaluation.bpd.importance_samples)
        if rule == "sample_random":
            return of_model * sampling.random.images * sampling.random.draws
        return 0


def _bytes_of_images(wildcards: Wildcards) -> int:
    """The size of an experiment's prepared images, one byte per colour value; 0 before they are there."""
    images = layout.data(wildcards.experiment) / "images.npy"
    return images.stat().st_size if images.is_file() else 0


def _size(wildcards: Wildcards) -> Mapping[str, int]:
    """Parameters and multiply-accumulates of a job's model; empty before `match` has run, or where it has no model."""
    model = layout.model(wildcards.experiment, getattr(wildcards, "model", ""))
    if not model.is_file():
        return {}
    try:
        return read_json(model, "match", _Matched)["size"]
    except UserError as error:
        stop(error)


def _earlier(rule: str, wildcards: Wildcards, column: str) -> float:
    """The largest value that earlier jobs of the rule recorded, over all seeds; 0 where there is no record."""
    folder = Path("logs", wildcards.experiment)
    model = getattr(wildcards, "model", None)
    files = folder.glob(f"{model}/seed-*/{rule}.benchmark.tsv" if model else f"{rule}.benchmark.tsv")
    rows = (row for file in files for row in csv.DictReader(file.read_text().splitlines(), delimiter="\t"))
    values = []
    for row in rows:
        with suppress(KeyError, TypeError, ValueError):  # "-", "NA", or a file that was cut off
            values.append(float(row[column]))
    return max(values, default=0.0)
