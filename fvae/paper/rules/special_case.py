"""Claim (d): VAE and flow are exact special cases of equation (6)."""

from __future__ import annotations

from fvae.paper import style
from fvae.paper.claim import FAILS, HOLDS, Claim
from fvae.paper.rules.draft import Draft
from fvae.paper.rules.measured import Measured
from fvae.results import read_metric

KINDS = {"vae": "VAE", "flow": "flow"}
EXACT = 1e-9  # relative difference in float64


def drafts(measured: Measured) -> list[Draft]:
    """The claim about all VAEs and flows of the experiment, decided."""
    models = {name: spec.kind for name, spec in measured.experiment.models.items() if spec.kind in KINDS}
    claim = Claim(
        "d",
        "VAE and flow are exact special cases of equation (6)",
        "(6) of the trained models, in float64, against reconstruction + KL and against the flow's negative "
        f"log-likelihood: equal to {EXACT:g} of its value",
    )
    if missing := [name for kind, name in KINDS.items() if kind not in models.values()]:
        claim.reason = f"The experiment has no {' and no '.join(missing)}."
        claim.change = "An experiment with both."
        return [Draft(claim)]
    found = {model: [read_metric(run, "special_case") for run in measured.runs(model)] for model in models}
    largest = {
        model: max(relative(each["difference"], each["nats"]) for each in measurements)
        for model, measurements in found.items()
    }
    claim.numbers = {"relative difference": largest}
    holds = max(largest.values()) < EXACT
    claim.verdict = HOLDS if holds else FAILS
    each = ", ".join(f"{style.label(model)} {difference:.1e}" for model, difference in largest.items())
    claim.reason = f"{'By construction, checked to 1e-9' if holds else 'The check fails'}. Largest difference: {each}."
    claim.change = "Code that does not keep the identity." if holds else "Code that keeps the identity."
    return [Draft(claim)]


def relative(difference: float | None, nats: float | None) -> float:
    """The difference as a share of the value; infinity where either is not finite."""
    return float("inf") if difference is None or not nats else difference / abs(nats)
