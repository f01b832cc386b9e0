"""Claim (a): the f-VAE is not blurry where the VAE is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from fvae.paper import style
from fvae.paper.claim import FAILS, HOLDS, Claim
from fvae.paper.rules.comparison import Comparison, Finding, Question, compare, significant
from fvae.paper.rules.draft import MORE_SEEDS, Draft
from fvae.paper.rules.measured import Measured, why_not_measured

DETAIL = Question(ratio=False, against=0.0, equal=0.05)
DECIBELS = Question(ratio=False, against=0.0, equal=0.21, digits=2, unit=" dB")  # 5 % of power
TEST = (
    "the f-VAE's reconstructions keep more detail and its samples' spectrum deviates less from real images', both "
    "significantly, and the samples of both models are plausible"
)
GATES = (  # the first that every run of both models has: parameter, metric, key, name, and whether less is better
    ("portrait_distance", "portrait_distance", "portrait_distance", "portrait distance", True),
    ("precision", "fid", "precision", "precision", False),
    ("swd", "swd", "mean", "SWD × 10³", True),
)


def drafts(measured: Measured) -> list[Draft]:
    """The claim about each f-VAE and each VAE."""
    claims = measured.experiment.claims
    return [draft(measured, ours, theirs) for ours in claims.fvae for theirs in claims.vae]


def draft(measured: Measured, ours: str, theirs: str) -> Draft:
    """The claim about one f-VAE and one VAE."""
    models = (ours, theirs)
    detail = {model: measured.numbers(model, "sharpness", "reconstructions", "detail") for model in models}
    deviation = {model: measured.numbers(model, "sharpness", "deviation_db") for model in models}
    comparisons = [
        compare(ours, theirs, "detail of reconstructions", detail, DETAIL),
        compare(ours, theirs, "deviation of samples, dB", deviation, DECIBELS),
    ]
    passed = gate(measured, models)
    claim = Claim(
        "a",
        f"The f-VAE is not blurry where the VAE is ({style.label(ours)} against {style.label(theirs)})",
        TEST,
        numbers={"gate": passed},
    )
    return Draft(claim, comparisons, partial(decide, passed=passed), [gate_in_words(passed)])


def gate(measured: Measured, models: Sequence[str]) -> dict[str, Any]:
    """Whether the samples of each model are plausible, by the mean over its seeds."""
    limits = measured.experiment.claims.plausible
    for parameter, metric, key, name, lower in GATES:
        if not why_not_measured(measured, models, metric):
            limit = getattr(limits, parameter)
            means = {model: float(np.mean(np.array(measured.numbers(model, metric, key), float))) for model in models}
            passes = {model: bool(mean <= limit if lower else mean >= limit) for model, mean in means.items()}
            return {"measure": name, "at most" if lower else "at least": limit, "means": means, "plausible": passes}
    raise AssertionError("SWD is always measured")


def gate_in_words(passed: dict[str, Any]) -> str:
    """What the gate found, as a sentence."""
    bound = "at most" if "at most" in passed else "at least"
    each = ", ".join(f"{style.label(model)} {significant(mean)}" for model, mean in passed["means"].items())
    return f"Plausible samples have {passed['measure']} {bound} {passed[bound]:g}; means: {each}."


def decide(claim: Claim, comparisons: list[Comparison], passed: dict[str, Any]) -> None:
    """The rule."""
    implausible = [style.label(model) for model, plausible in passed["plausible"].items() if not plausible]
    refusals = [comparison.refusal for comparison in comparisons if comparison.refusal]
    detail, deviation = (comparison.finding for comparison in comparisons)
    worse = {
        "reconstructions keep less detail": detail == Finding.LOWER,
        "reconstructions keep the same detail": detail == Finding.SAME,
        "samples deviate more": deviation == Finding.HIGHER,
        "samples deviate as much": deviation == Finding.SAME,
    }
    if implausible:
        claim.reason = f"Samples that are not plausible are neither sharp nor blurry: {' and '.join(implausible)}."
        claim.change = "Models whose samples pass."
    elif refusals:
        claim.reason, claim.change = refusals[0].reason, refusals[0].remedy
    elif any(worse.values()):
        flaws = " and ".join(flaw for flaw, true in worse.items() if true)
        claim.verdict, claim.reason = FAILS, f"The f-VAE's {flaws}."
        claim.change = "Other seeds with which neither is worse or equal."
    elif detail == Finding.HIGHER and deviation == Finding.LOWER:
        claim.verdict, claim.change = HOLDS, "Other seeds with which one of the two is not significant, or equal."
        claim.reason = "The f-VAE's reconstructions keep more detail, and its samples deviate less."
    else:
        claim.reason, claim.change = "Not both differences are significant after the correction.", MORE_SEEDS
