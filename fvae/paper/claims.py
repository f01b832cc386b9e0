"""The paper's claims, each decided by a fixed rule from measured numbers, whether they support it or not."""

from __future__ import annotations

from dataclasses import asdict

from fvae import layout
from fvae.files import write_json, write_text
from fvae.paper.claim import Claim
from fvae.paper.rules import better, blur, hours, reduction, special_case, speed
from fvae.paper.rules.comparison import Counts, correct
from fvae.paper.rules.draft import Draft
from fvae.paper.rules.measured import Measured, distance
from fvae.paper.table import held_out
from fvae.params import Experiment

ROLES = {  # a claim that needs models which params.yaml may leave out: its sentence, and the roles
    "a": ("The f-VAE is not blurry where the VAE is", ("fvae", "vae")),
    "b": ("At the same size and length of training the f-VAE is better than Glow", ("fvae", "glow")),
    "c": (hours.CLAIM, ("fvae",)),
}


def write(experiment_name: str, experiment: Experiment) -> None:
    """Write results/EXPERIMENT/claims.json and claims.md. Raises UserError where a run is not measured."""
    claims, counts = decide(Measured(experiment_name, experiment))
    write_json(layout.claims(experiment_name, "json"), [asdict(claim) for claim in claims])
    words = markdown(experiment_name, len(experiment.seeds), counts, claims, held_out(experiment))
    write_text(layout.claims(experiment_name, "md"), words)


def decide(measured: Measured) -> tuple[list[Claim], Counts]:
    """All claims, in the order of their names, and how many comparisons and tests there were."""
    named = measured.experiment.claims
    compared = {*named.fvae, *named.glow, *(model for pair in reduction.pairs(measured) for model in pair)}
    decisive = distance(measured, sorted(compared))
    drafts = [
        *blur.drafts(measured),
        *better.drafts(measured, decisive),
        *speed.drafts(measured),
        *hours.drafts(measured),
        *not_named(measured),
        *special_case.drafts(measured),
        *reduction.drafts(measured, decisive),
    ]
    counts = correct([comparison for draft in drafts for comparison in draft.comparisons])
    claims = [draft.decided() for draft in drafts]
    return sorted(claims, key=lambda claim: claim.name[0]), counts  # by letter; the order within a letter stays


def not_named(measured: Measured) -> list[Draft]:
    """The claims about models of which params.yaml names none."""
    named = measured.experiment.claims
    drafts = []
    for name, (sentence, roles) in ROLES.items():
        if empty := [f"claims.{role}" for role in roles if not getattr(named, role)]:
            reason = f"params.yaml names no model under {' and '.join(empty)}."
            drafts.append(Draft(Claim(name, sentence, "no test", reason=reason, change="A model there.")))
    return drafts


def markdown(experiment_name: str, seeds: int, counts: Counts, claims: list[Claim], notes: list[str]) -> str:
    """The verdicts in words, after notes on all of them."""
    head = (
        f"# The paper's claims in `{experiment_name}`\n\nDecided from {seeds} seed{'s' * (seeds > 1)} of each model by "
        "the rules of docs/protocol.md. "
    )
    corrected = "No test could be made.\n"
    if counts.tested:
        corrected = (
            f"{counts.tests} tests of {counts.tested} comparisons were made and corrected together by Holm's method: "
            f"the smallest p was multiplied by {counts.tested}. {counts.refused} more comparisons were not tested. "
            "Intervals are not corrected, so that a difference may be undecided although its interval leaves out 1.\n"
        )
    parts = [f"\n{note}\n" for note in notes] + [paragraphs(claim) for claim in claims]
    return head + corrected + "".join(parts)


def paragraphs(claim: Claim) -> str:
    """A claim in Markdown."""
    evidence = "".join(f"* {sentence}\n" for sentence in claim.evidence)
    return (
        f"\n**({claim.name}) {claim.claim}: {claim.verdict}.** {claim.reason}\n\n{evidence}{chr(10) * bool(evidence)}"
        f"*Rule:* {claim.test}.  \n*What would change it:* {claim.change}\n"
    )
