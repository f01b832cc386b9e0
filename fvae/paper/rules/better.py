"""Claim (b): at the same size and length of training the f-VAE is better than Glow."""

from __future__ import annotations

from fvae.paper import style
from fvae.paper.claim import Claim
from fvae.paper.rules.comparison import compare
from fvae.paper.rules.draft import Draft, decide_lower
from fvae.paper.rules.measured import Distance, Measured
from fvae.paper.rules.similar import in_words, not_similar, sizes


def drafts(measured: Measured, distance: Distance) -> list[Draft]:
    """The claim about each f-VAE and each Glow."""
    claims = measured.experiment.claims
    return [draft(measured, distance, ours, theirs) for ours in claims.fvae for theirs in claims.glow]


def draft(measured: Measured, distance: Distance, ours: str, theirs: str) -> Draft:
    """The claim about one f-VAE and one Glow."""
    claim = Claim(
        "b",
        "At the same size and length of training the f-VAE is better than Glow "
        f"({style.label(ours)} against {style.label(theirs)})",
        "the ratio of the distances of samples is significantly below 1 and not equal to it within 5 %",
        numbers={
            "distance": distance.name,
            "why": distance.reason,
            "of real images": distance.floor,
            "sizes": sizes(measured, ours, theirs),
        },
    )
    values = {model: distance.values[model] for model in (ours, theirs)}
    comparison = compare(ours, theirs, distance.name, values, refusal=not_similar(measured, ours, theirs))
    return Draft(claim, [comparison], decide_lower, [*distance.in_words(), in_words(measured, ours, theirs)])
