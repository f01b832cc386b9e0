"""The paper's claims, each decided by a rule from measured numbers, whichever way it comes out."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from fvae import layout
from fvae.files import read_json, write_json, write_text
from fvae.models.build import describe
from fvae.models.match import resolve
from fvae.paper import style
from fvae.paper.curves import history
from fvae.params import Experiment

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decided here"
BLURRED = -3.0  # dB of high-frequency power: half of that of real images
SIGNIFICANT = 0.05
EXACT = 1e-9  # relative difference in float64
GTX_1060 = {64: "120 to 150 epochs, 7 to 8 hours", 128: "about 150 epochs, 1.5 days"}


@dataclass
class Claim:
    """What the paper says, the test, what it rests on, and how it comes out."""

    name: str
    claim: str
    test: str
    numbers: dict[str, Any]
    verdict: str
    reason: str


def write(experiment_name: str, experiment: Experiment) -> None:
    """results/EXPERIMENT/claims.json and claims.md."""
    claims = decide(experiment_name, experiment)
    write_json(layout.claims(experiment_name, "json"), [asdict(claim) for claim in claims])
    seeds = len(experiment.seeds)
    head = (
        f"# The paper's claims in `{experiment_name}`\n\nDecided from {seeds} seed{'s' * (seeds > 1)} by fixed rules.\n"
    )
    parts = [
        f"\n**({claim.name}) {claim.claim}: {claim.verdict}.** {claim.reason}  \n*Test:* {claim.test}\n"
        for claim in claims
    ]
    write_text(layout.claims(experiment_name, "md"), head + "".join(parts))


def decide(experiment_name: str, experiment: Experiment) -> list[Claim]:
    """All claims, for the experiment's models of the paper's kinds."""
    names = {kind: of_kind(experiment, kind) for kind in ("vae", "glow", "fvae")}
    runs = {
        kind: [layout.Run(experiment_name, name, seed) for seed in experiment.seeds]
        for kind, name in names.items()
        if name is not None
    }
    return [
        not_blurry(runs),
        better_than_glow(runs),
        *(faster_than_glow(runs, column, what) for column, what in MEANINGS),
        hours(runs, experiment),
        special_cases(runs),
        reduces_dimension(experiment_name, experiment),
    ]


Runs = dict[str, list[layout.Run]]
MEANINGS = (("epoch", "epochs"), ("images", "images"), ("seconds", "seconds"))


def of_kind(experiment: Experiment, kind: str) -> str | None:
    """The model of that name and kind, or the first of the kind."""
    same = [name for name, spec in experiment.models.items() if spec.kind == kind]
    return kind if kind in same else same[0] if same else None


def numbers(runs: list[layout.Run], metric: str, key: str) -> list[Any]:
    """A number of each seed."""
    return [read_json(run.metric(metric), f"evaluate {metric}")[key] for run in runs]


def lacking(runs: Runs, *kinds: str) -> str:
    """Why a claim about these kinds cannot be decided, if one of them is not there."""
    missing = [style.label(kind) for kind in kinds if kind not in runs]
    return f"The experiment has no {' and no '.join(missing)}." if missing else ""


def not_blurry(runs: Runs) -> Claim:
    """(a), by the power of high frequencies beside real images'."""
    claim = Claim(
        "a",
        "The f-VAE is not blurry where the VAE is",
        f"high-frequency power of samples below {BLURRED:g} dB of real images' for every seed of the VAE, above it for "
        "every seed of the f-VAE",
        {},
        OPEN,
        lacking(runs, "vae", "fvae"),
    )
    if claim.reason:
        return claim
    decibels = {kind: numbers(runs[kind], "sharpness", "high_frequency_db") for kind in ("vae", "fvae")}
    again = {
        kind: [found["high_frequency_db"] for found in numbers(runs[kind], "sharpness", "reconstructions")]
        for kind in ("vae", "fvae")
    }
    claim.numbers = {"high_frequency_db": decibels, "of reconstructions": again}
    vae, fvae = (np.array(decibels[kind], float) for kind in ("vae", "fvae"))
    seen = (
        f"VAE {listed(vae, '+.1f')} dB, f-VAE {listed(fvae, '+.1f')} dB; reconstructions: VAE "
        f"{listed(again['vae'], '+.1f')} dB, f-VAE {listed(again['fvae'], '+.1f')} dB."
    )
    if (fvae < BLURRED).all():
        claim.verdict, claim.reason = FAILS, f"The f-VAE's samples are blurred: {seen}"
    elif (vae < BLURRED).all() and (fvae >= BLURRED).all():
        claim.verdict, claim.reason = HOLDS, seen
    elif (vae >= BLURRED).all():
        claim.reason = f"The VAE's samples are not blurry here, whatever else they are: {seen}"
    else:
        claim.reason = f"The seeds differ: {seen}"
    return claim


def better_than_glow(runs: Runs) -> Claim:
    """(b), by FID where it could be computed, or SWD."""
    claim = Claim(
        "b",
        "At the same size and epochs the f-VAE is better than Glow",
        f"lower FID of samples (SWD where there is no FID) by Welch's t-test over seeds, p < {SIGNIFICANT:g}",
        {},
        OPEN,
        lacking(runs, "glow", "fvae"),
    )
    if claim.reason:
        return claim
    values = {kind: numbers(runs[kind], "fid", "fid") for kind in ("glow", "fvae")}
    name = "FID"
    if any(value is None for each in values.values() for value in each):
        values, name = {kind: numbers(runs[kind], "swd", "mean") for kind in ("glow", "fvae")}, "SWD × 10³"
    bounds = {kind: numbers(runs[kind], "bpd", "bpd") for kind in ("glow", "fvae")}
    claim.numbers = {name: values, "bits/dim": bounds}
    glow, fvae = (np.array(values[kind], float) for kind in ("glow", "fvae"))
    seen = (
        f"{name}: Glow {listed(glow, '.1f')}, f-VAE {listed(fvae, '.1f')}; bits/dim: Glow "
        f"{listed(bounds['glow'], '.3f')}, f-VAE ≤ {listed(bounds['fvae'], '.3f')}."
    )
    if len(glow) < 2:
        claim.reason = f"One seed tells no difference from chance. {seen}"
        return claim
    p = float(ttest_ind(fvae, glow, equal_var=False).pvalue)
    claim.numbers["p"] = p
    if p < SIGNIFICANT:
        claim.verdict = HOLDS if fvae.mean() < glow.mean() else FAILS
        claim.reason = f"{seen} p = {p:.2g}."
    else:
        claim.reason = f"No significant difference over {len(glow)} seeds, p = {p:.2g}. {seen}"
    return claim


def faster_than_glow(runs: Runs, column: str, what: str) -> Claim:
    """(b), 'converges faster': how much each needs to reach the SWD at which the worse of the two ends."""
    claim = Claim(
        f"b, {what}",
        f"The f-VAE converges faster than Glow, in {what}",
        f"fewer {what}, for every seed of at least two, until the held-out SWD at which the worse of the two ends",
        {},
        OPEN,
        lacking(runs, "glow", "fvae"),
    )
    if claim.reason:
        return claim
    needed: dict[str, list[float]] = {"glow": [], "fvae": []}
    for pair in zip(runs["glow"], runs["fvae"], strict=True):
        histories = [history(run) for run in pair]
        threshold = max(each["swd"].iloc[-1] for each in histories)
        for kind, each in zip(("glow", "fvae"), histories, strict=True):
            needed[kind].append(float(each[column][each["swd"] <= threshold].iloc[0]))
    claim.numbers = {what: needed}
    glow, fvae = (np.array(needed[kind]) for kind in ("glow", "fvae"))
    seen = f"Glow {listed(glow, ',.0f')}, f-VAE {listed(fvae, ',.0f')} {what}."
    if len(glow) < 2:
        claim.reason = f"One seed tells no difference from chance. {seen}"
    elif (fvae < glow).all() or (fvae >= glow).all():
        claim.verdict, claim.reason = HOLDS if (fvae < glow).all() else FAILS, seen
    else:
        claim.reason = f"The seeds differ: {seen}"
    return claim


def hours(runs: Runs, experiment: Experiment) -> Claim:
    """(c), which is about one graphics card."""
    size, epochs = experiment.data.size, experiment.training.epochs
    said = GTX_1060.get(size, "; ".join(f"{side}×{side}: {text}" for side, text in GTX_1060.items()))
    claim = Claim(
        "c",
        f"CelebA-HQ on a GTX 1060 needs {said}",
        "decided on that card alone; elsewhere the hours are told",
        {},
        OPEN,
        lacking(runs, "fvae"),
    )
    if claim.reason:
        return claim
    costs = [read_json(run.training, "train") for run in runs["fvae"]]
    spent = [cost["seconds"] / 3600 for cost in costs]
    device = costs[0]["device"]
    claim.numbers = {"size": size, "epochs": epochs, "hours": spent, "device": device}
    claim.reason = f"{epochs} epochs at {size}×{size} took {listed(spent, '.3g')} hours on {device}."
    return claim


def special_cases(runs: Runs) -> Claim:
    """(d), on the trained models."""
    claim = Claim(
        "d",
        "VAE and flow are exact special cases of equation (6)",
        f"(6) of the trained models, in float64, against reconstruction + KL and against the flow's NLL: equal to "
        f"{EXACT:g} of its value",
        {},
        OPEN,
        lacking(runs, "vae", "glow"),
    )
    if claim.reason:
        return claim
    compared = {
        kind: [read_json(run.metric("special_case"), "evaluate special_case") for run in runs[kind]]
        for kind in ("vae", "glow")
    }
    claim.numbers = compared
    relative = {kind: max(each["difference"] / abs(each["nats"]) for each in found) for kind, found in compared.items()}
    claim.verdict = HOLDS if max(relative.values()) < EXACT else FAILS
    claim.reason = f"Largest relative difference: VAE {relative['vae']:.1e}, Glow {relative['glow']:.1e}."
    return claim


def reduces_dimension(experiment_name: str, experiment: Experiment) -> Claim:
    """(e), by models whose latent is smaller than the image."""
    claim = Claim(
        "e",
        "Equation (6) also allows a dimension-reducing flow",
        "an f-VAE or a mixture with d < D trains: its held-out bound is finite and falls below that of its first epoch",
        {},
        OPEN,
        "The experiment has no such model; `family` has one.",
    )
    verdicts = []
    for name, spec in resolve(experiment_name, experiment).items():
        if spec.kind not in ("fvae", "mixture"):
            continue
        size = describe(spec, experiment.data.size)
        latent, image = size["latent"]["dims"], 3 * experiment.data.size**2
        if latent == image:
            continue
        runs = [layout.Run(experiment_name, name, seed) for seed in experiment.seeds]
        bounds = numbers(runs, "bpd", "bpd")
        falls = all(each["bpd"].min() < each["bpd"].iloc[0] for each in map(history, runs))
        verdicts.append(falls and all(bound is not None and math.isfinite(bound) for bound in bounds))
        distances = numbers(runs, "swd", "mean")
        claim.numbers[name] = {"d": latent, "D": image, "bits/dim": bounds, "SWD × 10³": distances}
    if verdicts:
        claim.verdict = HOLDS if all(verdicts) else FAILS
        claim.reason = " ".join(
            f"{style.label(name)}, {found['d']:,} of {found['D']:,} dimensions: ≤ {listed(found['bits/dim'], '.3f')} "
            f"bits/dim, SWD {listed(found['SWD × 10³'], '.1f')}."
            for name, found in claim.numbers.items()
        )
    return claim


def listed(values: Any, form: str) -> str:
    """The numbers of all seeds."""
    return ", ".join(f"{value:{form}}" for value in values)
