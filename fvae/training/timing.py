"""Seconds of training steps, measured on this machine; and the size that matches in them."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from fvae.models.base import Model
from fvae.models.build import build
from fvae.models.match import question, resized, solve
from fvae.params import Experiment, Spec, Training
from fvae.progress import progress
from fvae.training.machine import default_device, device_name
from fvae.training.step import Step

ROUNDS, STEPS = 5, 3


def step_seconds(models: list[Model], settings: Training) -> list[float]:
    """The median seconds of a training step of each model, in rounds of a few steps of each.

    One process only: with several devices, the step of one's share of a batch.
    """
    settings = settings.model_copy(update={"devices": 1, "batch": max(1, settings.batch // settings.devices)})
    runs = [_steps(model, settings) for model in models]
    for run in runs:
        run()  # the first steps allocate
    rounds = [[run() / STEPS for run in runs] for _ in range(ROUNDS)]
    return [median(times) for times in zip(*rounds, strict=True)]


def _steps(model: Model, settings: Training) -> Callable[[], float]:
    """A function that runs a few training steps and gives their seconds."""
    step = Step(model, settings)
    x = torch.rand(settings.batch, *model.shape, device=step.device).mul(2).sub(1)
    u = torch.randn(settings.batch, *model.noise_shape, device=step.device)

    def run() -> float:
        start = time.perf_counter()
        for _ in range(STEPS):
            step(x, u, 1e-5)
        if step.device.type == "cuda":
            torch.cuda.synchronize(step.device)
        return time.perf_counter() - start

    return run


def match_seconds(experiment: Experiment, model: str) -> dict[str, Any]:
    """The size at which a step of the model takes as long as one of `match.model`, and what was measured.

    Each candidate is timed in turn with the target, so that the machine's moods touch both. Raises UserError where no
    size comes within the tolerance.
    """
    size, settings, match = experiment.data.size, experiment.training, experiment.match
    spec, target = experiment.models[model], build(experiment.models[match.model], size)
    (goal,) = step_seconds([target], settings)
    timed = {}

    def seconds(candidate: Spec) -> float:
        ours, theirs = step_seconds([build(candidate, size), target], settings)
        timed[candidate] = goal * ours / theirs
        bar.update()
        return timed[candidate]

    with progress(desc=f"timing {model}", unit="size") as bar:
        found = solve(model, spec, match, goal, seconds)
    return {
        "size": found,
        "seconds": timed[resized(spec, found)],
        "target_seconds": goal,
        "device": device_name(default_device()),
        "question": question(experiment, model),
    }
