"""Matching: the width, depth or expansion with which a model costs as much as the model that it is matched to."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch

from fvae.errors import UserError
from fvae.models.build import build, effective_parameters, macs
from fvae.params import Experiment, Match, ModelSpec, free_sizes

LARGEST = 2**16


def resolve(experiment: Experiment) -> dict[str, ModelSpec]:
    """The models with every 'match' replaced by the size that matches. Raises UserError where none does."""
    return {model: resolve_one(experiment, model) for model in experiment.models}


def resolve_one(experiment: Experiment, model: str) -> ModelSpec:
    """One of the models with its 'match' replaced. Raises UserError where no size matches."""
    spec, match = experiment.models[model], experiment.match
    if not free_sizes(spec):
        return spec
    if spec.match:
        match = match.model_copy(update={"quantity": spec.match})
    return _counted(model, spec, experiment.models[match.model], experiment.data.size, match)


def resized(spec: ModelSpec, k: int) -> ModelSpec:
    """The model with its free size set to k; an expansion is k / 100, so that tables can print it exactly."""
    ((section, size),) = free_sizes(spec)
    part = getattr(spec, section).model_copy(update={size: k / 100 if size == "expansion" else k})
    return spec.model_copy(update={section: part})


def solve(model: str, spec: ModelSpec, match: Match, goal: float, amount: Callable[[ModelSpec], float]) -> int:
    """The free size k at which an amount that grows with k is nearest to the goal.

    Raises UserError where even that is further away than match.tolerance.
    """
    amounts: dict[int, float] = {}

    def at(k: int) -> float:
        return amounts.get(k) or amounts.setdefault(k, amount(resized(spec, k)))

    below, above = 1, 8
    while above < LARGEST and at(above) < goal:
        below, above = above, 2 * above
    while above - below > 1 and at(below) < goal <= at(above):  # interpolate log(amount): it is nearly linear in log(k)
        share = math.log(goal / at(below)) / math.log(at(above) / at(below))
        k = min(max(round(below * (above / below) ** share), below + 1), above - 1)
        below, above = (k, above) if at(k) < goal else (below, k)
    best = min(below, above, key=lambda k: abs(at(k) - goal))
    if abs(at(best) / goal - 1) > match.tolerance:
        raise UserError(
            f"models.{model}: no size comes within {match.tolerance:.0%} of {match.model}'s {goal:,.6g}"
            f" {match.quantity} (nearest: {at(best):,.6g}); change its levels, or match.tolerance"
        )
    return best


@lru_cache
def _counted(model: str, spec: ModelSpec, target: ModelSpec, size: int, match: Match) -> ModelSpec:
    def amount(candidate: ModelSpec) -> int:
        with torch.device("meta"):
            built = build(candidate, size)
            return effective_parameters(built) if match.quantity == "parameters" else macs(built)

    return resized(spec, solve(model, spec, match, amount(target), amount))
