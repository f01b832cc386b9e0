"""Arguments of commands that name an experiment, a model, a task or a metric."""

from __future__ import annotations

from collections.abc import Iterable

from fvae.errors import UserError
from fvae.params import Experiment, load


def one_of(argument: str, value: str, allowed: Iterable[str]) -> None:
    """Raises UserError, which names the argument, where its value is not one of those that are allowed."""
    allowed = tuple(allowed)
    if value not in allowed:
        raise UserError(f"{argument}: '{value}' is not one of {', '.join(allowed)}")


def experiment_with(name: str, model: str) -> Experiment:
    """The experiment of that name. Raises UserError where there is none, or where it has no such model."""
    experiment = load().experiment(name)
    one_of("--model", model, experiment.models)
    return experiment
