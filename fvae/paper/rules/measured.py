"""What the rules read: the numbers of all seeds of a model, and which distance decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from fvae import layout
from fvae.params import Experiment
from fvae.results import Number, read_cost, read_floor, read_history, read_matched, read_metric

DISTANCES = {  # the first that every run has decides: its metric, the key of its number, and its name
    "FID": ("fid", "fid", "FID"),
    "portrait distance": ("portrait_distance", "portrait_distance", "the portrait distance"),
    "SWD × 10³": ("swd", "mean", "SWD"),
}


@dataclass(frozen=True)
class Measured:
    """The results of an experiment. Its methods raise UserError where a file is missing or damaged."""

    name: str
    experiment: Experiment

    def runs(self, model: str) -> list[layout.Run]:
        """The trainings of a model, one for each seed."""
        return [layout.Run(self.name, model, seed) for seed in self.experiment.seeds]

    def numbers(self, model: str, metric: str, *keys: str) -> list[Any]:
        """A number of each training, at the end of a path of keys; None where it could not be measured."""
        found: list[Any] = []
        for run in self.runs(model):
            value: Any = read_metric(run, metric)
            for key in keys:
                value = value[key]
            found.append(value)
        return found

    @cached_property
    def histories(self) -> dict[str, list[pd.DataFrame]]:
        """The validations of each training, by model."""
        return {model: [read_history(run) for run in self.runs(model)] for model in self.experiment.models}

    @cached_property
    def costs(self) -> dict[str, list[dict[str, Any]]]:
        """What each training cost, by model."""
        return {model: [read_cost(run) for run in self.runs(model)] for model in self.experiment.models}

    @cached_property
    def sizes(self) -> dict[str, dict[str, Any]]:
        """What a step of each model costs, and its parameters."""
        return {model: read_matched(self.name, model)[1] for model in self.experiment.models}

    def images(self, model: str) -> list[int]:
        """The images that each training saw until its last validation."""
        return [int(history["images"].iloc[-1]) for history in self.histories[model]]


@dataclass(frozen=True)
class Distance:
    """The distance from real images that decides, of every run of some models, why it is this one, and its floor."""

    name: str
    values: Mapping[str, Sequence[Number]]
    reason: str
    floor: Number  # of real images in place of samples; None where it was not measured

    def in_words(self) -> list[str]:
        """Why it is this one, and what real images in place of samples would reach."""
        floor = [] if self.floor is None else [f"Real images in place of samples have {self.floor:.4g}."]
        return [self.reason, *floor]


def distance(measured: Measured, models: Sequence[str]) -> Distance:
    """FID where every run of the models has it, else the portrait distance where every run has that, else SWD.

    A number that is not finite is no reason to take the next one: then the choice would depend on the result.
    """
    missing = []
    for name, (metric, key, spoken) in DISTANCES.items():
        if why := why_not_measured(measured, models, metric):
            missing.append(f"{spoken} is n/a ({why})")
            continue
        values = {model: measured.numbers(model, metric, key) for model in models}
        reason = f"for {' and '.join(missing)}" if missing else "which every run has"
        floor = (read_floor(measured.name).get(metric) or {}).get("mean")
        return Distance(name, values, f"Decided by {spoken}, {reason}.", floor)
    raise AssertionError("SWD is always measured")


def why_not_measured(measured: Measured, models: Sequence[str], metric: str) -> str:
    """The first reason that stands in the files of a metric; empty where every run was measured."""
    for run in (run for model in models for run in measured.runs(model)):
        if reason := read_metric(run, metric).get("reason"):
            return str(reason).rstrip(".")
    return ""
