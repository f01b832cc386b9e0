"""The `evaluate` command: metrics of a trained model.

A metric is imported by its name when it is measured, so that a change of one metric leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from fvae import layout
from fvae.commands.arguments import experiment_with, one_of
from fvae.evaluation import METRICS
from fvae.files import write_json


def run(experiment_name: str, model: str, metrics: Sequence[str], seed: int) -> None:
    """Write metrics/METRIC.json of each metric. Raises UserError where what it is measured from is missing."""
    for metric in metrics:
        one_of("METRIC", metric, METRICS)
    experiment = experiment_with(experiment_name, model)
    evaluated = layout.Run(experiment_name, model, seed)
    for metric in metrics:
        module = import_module(f"fvae.evaluation.metrics.{metric}")
        write_json(evaluated.metric(metric), module.measure(experiment_name, experiment, evaluated))
