"""Claim (e): equation (6) also allows a dimension-reducing flow."""

from __future__ import annotations

from fvae.paper import style
from fvae.paper.claim import Claim
from fvae.paper.rules.comparison import Question, compare
from fvae.paper.rules.draft import Draft, decide_lower
from fvae.paper.rules.measured import Distance, Measured
from fvae.paper.rules.similar import in_words, not_similar, sizes

AT_MOST = 1.10  # times the distance of the f-VAE with d = D
NOT_WORSE = Question(ratio=True, against=AT_MOST, equal=None)
CLAIM = "Equation (6) also allows a dimension-reducing flow"
TEST = f"the ratio of the distances of samples, d < D to d = D, is significantly below {AT_MOST:.2f}"


def pairs(measured: Measured) -> list[tuple[str, str]]:
    """Each f-VAE or mixture with d < D, with each f-VAE with d = D."""
    kinds = {name: spec.kind for name, spec in measured.experiment.models.items() if spec.kind in ("fvae", "mixture")}
    image = 3 * measured.experiment.data.size**2
    latents = {name: measured.sizes[name]["latent"]["dims"] for name in kinds}
    full = [name for name, dims in latents.items() if kinds[name] == "fvae" and dims == image]
    return [(reduced, other) for reduced, dims in latents.items() if dims < image for other in full]


def drafts(measured: Measured, distance: Distance) -> list[Draft]:
    """The claim about each of the pairs."""
    found = [draft(measured, distance, reduced, full) for reduced, full in pairs(measured)]
    reason = "The experiment has no f-VAE or mixture with d < D beside an f-VAE with d = D."
    return found or [Draft(Claim("e", CLAIM, TEST, reason=reason, change="An experiment with both."))]


def draft(measured: Measured, distance: Distance, reduced: str, full: str) -> Draft:
    """The claim about one pair."""
    models = (reduced, full)
    claim = Claim(
        "e",
        f"{CLAIM} ({style.label(reduced)} against {style.label(full)})",
        TEST,
        numbers={
            "dimensions": {model: measured.sizes[model]["latent"]["dims"] for model in models},
            "distance": distance.name,
            "why": distance.reason,
            "of real images": distance.floor,
            "sizes": sizes(measured, *models),
        },
    )
    values = {model: distance.values[model] for model in models}
    comparison = compare(reduced, full, distance.name, values, NOT_WORSE, not_similar(measured, reduced, full))
    return Draft(claim, [comparison], decide_lower, [*distance.in_words(), in_words(measured, *models)])
