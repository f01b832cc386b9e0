"""The paper's claims, each decided by a fixed rule from measured numbers, whether they support it or not."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from fvae import layout
from fvae.files import write_json, write_text
from fvae.paper import style
from fvae.paper.claim import FAILS, HOLDS, WELCH, Claim, decide_lower, listed
from fvae.paper.curves import ROWS
from fvae.paper.table import held_out
from fvae.params import Experiment, Images
from fvae.results import read_cost, read_history, read_matched, read_metric

BLURRED = -3.0  # dB of high-frequency power: half of that of real images
EXACT = 1e-9  # relative difference in float64
AS_GOOD = 2.0  # times the SWD of the f-VAE with d = D: what a reduced one may have
GTX_1060 = {64: ((120, 150), 8.0), 128: ((140, 160), 36.0)}  # by size: epochs from, to; at most so many hours
PAPERS_HOURS = {64: "120 to 150 epochs, 7 to 8 hours", 128: "about 150 epochs, 1.5 days"}

Runs = dict[str, list[layout.Run]]  # of each seed, by kind of model: vae, glow, fvae
MEASURES = (("epoch", "epochs"), ("images", "images"), ("seconds", "seconds"))  # columns of a history, and their names


def write(experiment_name: str, experiment: Experiment) -> None:
    """Write results/EXPERIMENT/claims.json and claims.md. Raises UserError where a run is not measured."""
    claims = decide(experiment_name, experiment)
    write_json(layout.claims(experiment_name, "json"), [asdict(claim) for claim in claims])
    seeds = len(experiment.seeds)
    head = (
        f"# The paper's claims in `{experiment_name}`\n\nDecided from {seeds} seed{'s' * (seeds > 1)} by fixed rules.\n"
    )
    head += "".join(f"\n{sentence}\n" for sentence in held_out(experiment))
    parts = [
        f"\n**({claim.name}) {claim.claim}: {claim.verdict}.** {claim.reason}  \n*Test:* {claim.test}\n"
        for claim in claims
    ]
    write_text(layout.claims(experiment_name, "md"), head + "".join(parts))


def decide(experiment_name: str, experiment: Experiment) -> list[Claim]:
    """All claims, each about the experiment's VAE, Glow and f-VAE."""
    names = {
        name: of_kind(experiment, kind, name) for name, kind in (("vae", "vae"), ("glow", "flow"), ("fvae", "fvae"))
    }
    runs = {
        kind: [layout.Run(experiment_name, name, seed) for seed in experiment.seeds]
        for kind, name in names.items()
        if name is not None
    }
    return [
        sharper_than_vae(runs),
        better_than_glow(runs, experiment_name, experiment),
        *(faster_than_glow(runs, column, what) for column, what in MEASURES),
        trains_in_hours(runs, experiment),
        special_cases(runs),
        reduces_dimension(experiment_name, experiment),
    ]


def of_kind(experiment: Experiment, kind: str, preferred: str) -> str | None:
    """The model of the preferred name if it is of that kind, else the first model of the kind, else None."""
    same = [name for name, spec in experiment.models.items() if spec.kind == kind]
    return preferred if preferred in same else same[0] if same else None


def numbers(runs: list[layout.Run], metric: str, key: str) -> list[Any]:
    """A number of each run."""
    return [read_metric(run, metric)[key] for run in runs]


def reason_if_missing(runs: Runs, *kinds: str) -> str:
    """Why a claim about these kinds of models cannot be decided; empty if the experiment has all of them."""
    missing = [style.label(kind) for kind in kinds if kind not in runs]
    return f"The experiment has no {' and no '.join(missing)}." if missing else ""


def sharper_than_vae(runs: Runs) -> Claim:
    """(a), by the power of high frequencies compared with that of real images."""
    claim = Claim(
        "a",
        "The f-VAE is not blurry where the VAE is",
        f"high-frequency power of samples below {BLURRED:g} dB of real images' for every seed of the VAE, above it for "
        "every seed of the f-VAE",
        reason=reason_if_missing(runs, "vae", "fvae"),
    )
    if claim.reason:
        return claim
    decibels = {kind: numbers(runs[kind], "sharpness", "high_frequency_db") for kind in ("vae", "fvae")}
    reconstructions = {
        kind: [found["high_frequency_db"] for found in numbers(runs[kind], "sharpness", "reconstructions")]
        for kind in ("vae", "fvae")
    }
    claim.numbers = {"high_frequency_db": decibels, "of reconstructions": reconstructions}
    vae, fvae = (np.array(decibels[kind], float) for kind in ("vae", "fvae"))
    observed = (
        f"VAE {listed(vae, '+.1f')} dB, f-VAE {listed(fvae, '+.1f')} dB; reconstructions: VAE "
        f"{listed(reconstructions['vae'], '+.1f')} dB, f-VAE {listed(reconstructions['fvae'], '+.1f')} dB."
    )
    if (fvae < BLURRED).all():
        claim.verdict, claim.reason = FAILS, f"The f-VAE's samples are blurred: {observed}"
    elif (vae < BLURRED).all() and (fvae >= BLURRED).all():
        claim.verdict, claim.reason = HOLDS, observed
    elif (vae >= BLURRED).all():
        claim.reason = f"The VAE's samples are not blurry here: {observed}"
    else:
        claim.reason = f"The seeds differ: {observed}"
    return claim


def better_than_glow(runs: Runs, experiment_name: str, experiment: Experiment) -> Claim:
    """(b), by FID where it could be computed, or SWD."""
    claim = Claim(
        "b",
        "At the same size and epochs the f-VAE is better than Glow",
        f"lower FID of samples (SWD where there is no FID) {WELCH}",
        reason=reason_if_missing(runs, "glow", "fvae"),
    )
    if claim.reason:
        return claim
    values = {kind: numbers(runs[kind], "fid", "fid") for kind in ("glow", "fvae")}
    name, why = "FID", ""
    if any(value is None for each in values.values() for value in each):
        values, name = {kind: numbers(runs[kind], "swd", "mean") for kind in ("glow", "fvae")}, "SWD × 10³"
        reasons = [reason for kind in ("glow", "fvae") for reason in numbers(runs[kind], "fid", "reason") if reason]
        why = f" SWD decides, for FID is n/a: {reasons[0].rstrip('.')}."
    bounds = {kind: numbers(runs[kind], "bpd", "bpd") for kind in ("glow", "fvae")}
    sizes = compared_sizes(runs, experiment_name, experiment)
    claim.numbers = {name: values, "bits/dim": bounds, **sizes}
    observed = (
        f"{name}: Glow {listed(values['glow'], '.1f')}, f-VAE {listed(values['fvae'], '.1f')}; bits/dim: Glow "
        f"{listed(bounds['glow'], '.3f')}, f-VAE ≤ {listed(bounds['fvae'], '.3f')}. {sizes_in_words(sizes)}{why}"
    )
    decide_lower(claim, values["fvae"], values["glow"], observed)
    return claim


def compared_sizes(runs: Runs, experiment_name: str, experiment: Experiment) -> dict[str, Any]:
    """What 'the same size and epochs' means here: the matched quantity, and each model's sizes and costs."""
    sizes = {kind: read_matched(experiment_name, runs[kind][0].model)[1] for kind in ("glow", "fvae")}
    costs = {kind: [read_cost(run)["seconds"] for run in runs[kind]] for kind in ("glow", "fvae")}
    return {
        "matched in": experiment.match.quantity,
        "epochs": experiment.training.images,
        "parameters": {kind: size["parameters"] for kind, size in sizes.items()},
        "macs": {kind: size["macs"] for kind, size in sizes.items()},
        "seconds of training": costs,
    }


def sizes_in_words(sizes: dict[str, Any]) -> str:
    """What `compared_sizes` found, as a sentence."""
    each = "; ".join(
        f"{style.label(kind)} {sizes['parameters'][kind]:,} parameters, {sizes['macs'][kind] / 1e6:,.1f} M "
        f"multiply-accumulates, {listed(sizes['seconds of training'][kind], ',.0f')} seconds of training"
        for kind in ("glow", "fvae")
    )
    return f"Matched in {style.QUANTITIES[sizes['matched in']]}, {sizes['epochs']} epochs: {each}."


def faster_than_glow(runs: Runs, column: str, what: str) -> Claim:
    """(b), 'converges faster': what each needs to reach the held-out SWD at which the worse of the two ends."""
    claim = Claim(
        f"b, {what}",
        f"The f-VAE converges faster than Glow, in {what}",
        f"fewer {what} until the held-out SWD at which the worse of the two ends, interpolated between validations, "
        f"{WELCH}",
        reason=reason_if_missing(runs, "glow", "fvae"),
    )
    if claim.reason:
        return claim
    needed: dict[str, list[float]] = {"glow": [], "fvae": []}
    differs = False
    for pair in zip(runs["glow"], runs["fvae"], strict=True):
        histories = [read_history(run) for run in pair]
        threshold = max(each["swd"].iloc[-1] for each in histories)
        for kind, each in zip(("glow", "fvae"), histories, strict=True):
            needed[kind].append(reached(each, column, threshold))
        differs |= (
            needed["glow"][-1] != needed["fvae"][-1] and max(each["swd"].iloc[0] for each in histories) > threshold
        )
    claim.numbers = {what: needed}
    form = ",.2f" if column == "epoch" else ",.0f"
    observed = f"Glow {listed(needed['glow'], form)}, f-VAE {listed(needed['fvae'], form)} {what}."
    if differs:
        decide_lower(claim, needed["fvae"], needed["glow"], observed)
    else:
        claim.reason = f"A tie for every seed: validations, the first included, are too far apart to tell. {observed}"
    return claim


def reached(validations: pd.DataFrame, column: str, threshold: float) -> float:
    """The value of a column where SWD first falls to the threshold, interpolated linearly between validations.

    The first validation's value where SWD is at or below the threshold already there.
    """
    swd, at = validations["swd"].to_numpy(float), validations[column].to_numpy(float)
    index = int((swd <= threshold).argmax())
    if index == 0:
        return float(at[0])
    share = (swd[index - 1] - threshold) / (swd[index - 1] - swd[index])
    return float(at[index - 1] + share * (at[index] - at[index - 1]))


def trains_in_hours(runs: Runs, experiment: Experiment) -> Claim:
    """(c), which is about one graphics card."""
    size, epochs = experiment.data.size, experiment.training.images
    papers = PAPERS_HOURS.get(size, "; ".join(f"{side}×{side}: {text}" for side, text in PAPERS_HOURS.items()))
    claim = Claim(
        "c",
        f"CelebA-HQ on a GTX 1060 needs {papers}",
        "on that card, with that set's published split, at 64×64 or 128×128 and about as many epochs: at most 8 or 36 "
        "hours for every seed; otherwise the hours are reported and nothing is decided",
        reason=reason_if_missing(runs, "fvae"),
    )
    if claim.reason:
        return claim
    costs = [read_cost(run) for run in runs["fvae"]]
    spent = [cost["seconds"] / 3600 for cost in costs]
    devices = sorted({cost["device"] for cost in costs})
    claim.numbers = {"size": size, "epochs": epochs, "hours": spent, "device": ", ".join(devices)}
    observed = f"{epochs} epochs at {size}×{size} took {listed(spent, '.3g')} hours on {', '.join(devices)}."
    data = experiment.data
    (fewest, most), limit = GTX_1060.get(size, ((epochs, epochs), math.inf))
    conditions = {
        "another device": all("1060" in device for device in devices),
        "other images than CelebA-HQ's": isinstance(data, Images) and data.split.kind == "published",
        "another size": size in GTX_1060,
        "another number of epochs": fewest <= epochs <= most,
    }
    if other := [what for what, met in conditions.items() if not met]:
        claim.reason = f"The claim is about something else: here it is {' and '.join(other)}. {observed}"
    else:
        claim.verdict, claim.reason = HOLDS if max(spent) <= limit else FAILS, observed
    return claim


def special_cases(runs: Runs) -> Claim:
    """(d), on the trained models."""
    claim = Claim(
        "d",
        "VAE and flow are exact special cases of equation (6)",
        f"(6) of the trained models, in float64, against reconstruction + KL and against the flow's NLL: equal to "
        f"{EXACT:g} of its value",
        reason=reason_if_missing(runs, "vae", "glow"),
    )
    if claim.reason:
        return claim
    compared = {kind: [read_metric(run, "special_case") for run in runs[kind]] for kind in ("vae", "glow")}
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
        "every f-VAE or mixture with d < D learns, for every seed: its bound is finite, its held-out bound and SWD "
        "fall from the first validation to the last, and its samples' SWD is at most "
        f"{AS_GOOD:g} times that of the f-VAE with d = D, where there is one (mean over seeds)",
        reason="The experiment has no such model; `family` has one.",
    )
    image = 3 * experiment.data.size**2
    models = {name: spec for name, spec in experiment.models.items() if spec.kind in ("fvae", "mixture")}
    latents = {name: read_matched(experiment_name, name)[1]["latent"]["dims"] for name in models}
    runs = {name: [layout.Run(experiment_name, name, seed) for seed in experiment.seeds] for name in models}
    full = [name for name, spec in models.items() if spec.kind == "fvae" and latents[name] == image]
    limit = AS_GOOD * np.mean(np.array(numbers(runs[full[0]], "swd", "mean"), float)) if full else math.inf
    reasons = []
    for name in (name for name in models if latents[name] < image):
        bounds, distances = numbers(runs[name], "bpd", "bpd"), numbers(runs[name], "swd", "mean")
        curves = [read_history(run) for run in runs[name]]
        learns = {
            "its bound is not finite": all(bound is not None and math.isfinite(bound) for bound in bounds),
            **{f"its held-out {what} does not fall": all(falls(each[key]) for each in curves) for key, what in ROWS},
            f"its samples' SWD is above {limit:.1f}": np.mean(np.array(distances, float)) <= limit,
        }
        flaws = [flaw for flaw, absent in learns.items() if not absent]
        claim.numbers[name] = {"d": latents[name], "D": image, "bits/dim": bounds, "SWD × 10³": distances}
        claim.verdict = FAILS if flaws or claim.verdict == FAILS else HOLDS
        reasons.append(
            f"{style.label(name)}, {latents[name]:,} of {image:,} dimensions: ≤ {listed(bounds, '.3f')} bits/dim, SWD "
            f"{listed(distances, '.1f')}{'; ' * bool(flaws)}{' and '.join(flaws)}."
        )
    if reasons:
        against = (
            f" {style.label(full[0])}: SWD {listed(numbers(runs[full[0]], 'swd', 'mean'), '.1f')}." if full else ""
        )
        claim.reason = " ".join(reasons) + against
    return claim


def falls(values: pd.Series) -> bool:
    """Whether the last is below the first."""
    return bool(values.iloc[-1] < values.iloc[0])
