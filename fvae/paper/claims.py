"""The paper's claims, each decided by a rule from measured numbers, whichever way it comes out."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind_from_stats

from fvae import layout
from fvae.files import read_json, write_json, write_text
from fvae.models.build import describe
from fvae.models.match import resolve
from fvae.paper import style
from fvae.paper.curves import ROWS, history
from fvae.params import Experiment, Images

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decided here"
BLURRED = -3.0  # dB of high-frequency power: half of that of real images
SIGNIFICANT = 0.05
EXACT = 1e-9  # relative difference in float64
AS_GOOD = 2.0  # times the SWD of the f-VAE with d = D: what a reduced one may have
GTX_1060 = {64: ((120, 150), 8.0), 128: ((140, 160), 36.0)}  # by size: epochs from, to; at most so many hours
SAID = {64: "120 to 150 epochs, 7 to 8 hours", 128: "about 150 epochs, 1.5 days"}


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
    names = {
        name: of_kind(experiment, kind, name) for name, kind in (("vae", "vae"), ("glow", "flow"), ("fvae", "fvae"))
    }
    runs = {
        kind: [layout.Run(experiment_name, name, seed) for seed in experiment.seeds]
        for kind, name in names.items()
        if name is not None
    }
    return [
        not_blurry(runs),
        better_than_glow(runs, experiment_name, experiment),
        *(faster_than_glow(runs, column, what) for column, what in MEANINGS),
        hours(runs, experiment),
        special_cases(runs),
        reduces_dimension(experiment_name, experiment),
    ]


Runs = dict[str, list[layout.Run]]
MEANINGS = (("epoch", "epochs"), ("images", "images"), ("seconds", "seconds"))


def of_kind(experiment: Experiment, kind: str, preferred: str) -> str | None:
    """The model of the preferred name if it is of that kind, else the first model of the kind."""
    same = [name for name, spec in experiment.models.items() if spec.kind == kind]
    return preferred if preferred in same else same[0] if same else None


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


def better_than_glow(runs: Runs, experiment_name: str, experiment: Experiment) -> Claim:
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
    name, why = "FID", ""
    if any(value is None for each in values.values() for value in each):
        values, name = {kind: numbers(runs[kind], "swd", "mean") for kind in ("glow", "fvae")}, "SWD × 10³"
        reasons = [reason for kind in ("glow", "fvae") for reason in numbers(runs[kind], "fid", "reason") if reason]
        why = f" SWD decides, for FID is n/a: {reasons[0].rstrip('.')}."
    bounds = {kind: numbers(runs[kind], "bpd", "bpd") for kind in ("glow", "fvae")}
    sizes = compared_sizes(runs, experiment_name, experiment)
    claim.numbers = {name: values, "bits/dim": bounds, **sizes}
    glow, fvae = (np.array(values[kind], float) for kind in ("glow", "fvae"))
    seen = (
        f"{name}: Glow {listed(glow, '.1f')}, f-VAE {listed(fvae, '.1f')}; bits/dim: Glow "
        f"{listed(bounds['glow'], '.3f')}, f-VAE ≤ {listed(bounds['fvae'], '.3f')}. {told(sizes)}{why}"
    )
    if len(glow) < 2:
        claim.reason = f"One seed tells no difference from chance. {seen}"
        return claim
    claim.numbers["p"] = p = welch(fvae, glow)
    if p < SIGNIFICANT:
        claim.verdict = HOLDS if fvae.mean() < glow.mean() else FAILS
        claim.reason = f"p = {p:.2g}. {seen}"
    else:
        claim.reason = f"No significant difference over {len(glow)} seeds, p = {p:.2g}. {seen}"
    return claim


def compared_sizes(runs: Runs, experiment_name: str, experiment: Experiment) -> dict[str, Any]:
    """What 'the same size and epochs' means here: the matched quantity, and each model's sizes and costs."""
    specs = resolve(experiment)
    sizes = {kind: describe(specs[runs[kind][0].model], experiment.data.size) for kind in ("glow", "fvae")}
    costs = {kind: [read_json(run.training, "train")["seconds"] for run in runs[kind]] for kind in ("glow", "fvae")}
    return {
        "matched in": experiment.match.quantity,
        "epochs": experiment.training.epochs,
        "parameters": {kind: size["parameters"] for kind, size in sizes.items()},
        "macs": {kind: size["macs"] for kind, size in sizes.items()},
        "seconds of training": costs,
    }


def told(sizes: dict[str, Any]) -> str:
    """Compared sizes in words."""
    each = "; ".join(
        f"{style.label(kind)} {sizes['parameters'][kind]:,} parameters, {sizes['macs'][kind] / 1e6:,.1f} M "
        f"multiply-accumulates, {listed(sizes['seconds of training'][kind], ',.0f')} seconds of training"
        for kind in ("glow", "fvae")
    )
    return f"Matched in {style.QUANTITIES[sizes['matched in']]}, {sizes['epochs']} epochs: {each}."


def welch(a: np.ndarray, b: np.ndarray) -> float:
    """p of Welch's t-test; 0 or 1 where neither's seeds differ among themselves."""
    if a.std() == b.std() == 0:
        return float(a[0] == b[0])
    moments = [moment for x in (a, b) for moment in (x.mean(), x.std(ddof=1), len(x))]
    return float(ttest_ind_from_stats(*moments, equal_var=False).pvalue)


def faster_than_glow(runs: Runs, column: str, what: str) -> Claim:
    """(b), 'converges faster': how much each needs to reach the SWD at which the worse of the two ends."""
    claim = Claim(
        f"b, {what}",
        f"The f-VAE converges faster than Glow, in {what}",
        f"fewer {what} until the held-out SWD at which the worse of the two ends, interpolated between validations, by "
        f"Welch's t-test over seeds, p < {SIGNIFICANT:g}",
        {},
        OPEN,
        lacking(runs, "glow", "fvae"),
    )
    if claim.reason:
        return claim
    needed: dict[str, list[float]] = {"glow": [], "fvae": []}
    resolved = False
    for pair in zip(runs["glow"], runs["fvae"], strict=True):
        histories = [history(run) for run in pair]
        threshold = max(each["swd"].iloc[-1] for each in histories)
        for kind, each in zip(("glow", "fvae"), histories, strict=True):
            needed[kind].append(reached(each, column, threshold))
        resolved |= (
            needed["glow"][-1] != needed["fvae"][-1] and max(each["swd"].iloc[0] for each in histories) > threshold
        )
    claim.numbers = {what: needed}
    glow, fvae = (np.array(needed[kind]) for kind in ("glow", "fvae"))
    form = ",.2f" if column == "epoch" else ",.0f"
    seen = f"Glow {listed(glow, form)}, f-VAE {listed(fvae, form)} {what}."
    if not resolved:
        claim.reason = f"A tie for every seed: validations, the first included, are too far apart to tell. {seen}"
    elif len(glow) < 2:
        claim.reason = f"One seed tells no difference from chance. {seen}"
    else:
        claim.numbers["p"] = p = welch(fvae, glow)
        if p < SIGNIFICANT:
            claim.verdict, claim.reason = HOLDS if fvae.mean() < glow.mean() else FAILS, f"p = {p:.2g}. {seen}"
        else:
            claim.reason = f"No significant difference over {len(glow)} seeds, p = {p:.2g}. {seen}"
    return claim


def reached(validations: pd.DataFrame, column: str, threshold: float) -> float:
    """Where SWD first falls to the threshold, on the line between two validations; at the first one, there."""
    swd, at = validations["swd"].to_numpy(float), validations[column].to_numpy(float)
    index = int((swd <= threshold).argmax())
    if index == 0:
        return float(at[0])
    share = (swd[index - 1] - threshold) / (swd[index - 1] - swd[index])
    return float(at[index - 1] + share * (at[index] - at[index - 1]))


def hours(runs: Runs, experiment: Experiment) -> Claim:
    """(c), which is about one graphics card."""
    size, epochs = experiment.data.size, experiment.training.epochs
    said = SAID.get(size, "; ".join(f"{side}×{side}: {text}" for side, text in SAID.items()))
    claim = Claim(
        "c",
        f"CelebA-HQ on a GTX 1060 needs {said}",
        "on that card, with that set's published split, at 64×64 or 128×128 and about as many epochs: at most 8 or 36 "
        "hours for every seed; elsewhere the hours are told",
        {},
        OPEN,
        lacking(runs, "fvae"),
    )
    if claim.reason:
        return claim
    costs = [read_json(run.training, "train") for run in runs["fvae"]]
    spent = [cost["seconds"] / 3600 for cost in costs]
    devices = sorted({cost["device"] for cost in costs})
    claim.numbers = {"size": size, "epochs": epochs, "hours": spent, "device": ", ".join(devices)}
    seen = f"{epochs} epochs at {size}×{size} took {listed(spent, '.3g')} hours on {', '.join(devices)}."
    data = experiment.data
    (fewest, most), limit = GTX_1060.get(size, ((epochs, epochs), math.inf))
    agrees = {
        "another device": all("1060" in device for device in devices),
        "other images than CelebA-HQ's": isinstance(data, Images) and data.split.kind == "published",
        "another size": size in GTX_1060,
        "another number of epochs": fewest <= epochs <= most,
    }
    if other := [what for what, same in agrees.items() if not same]:
        claim.reason = f"The claim is about something else: here it is {' and '.join(other)}. {seen}"
    else:
        claim.verdict, claim.reason = HOLDS if max(spent) <= limit else FAILS, seen
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
        "every f-VAE or mixture with d < D learns, for every seed: its bound is finite, its held-out bound and SWD "
        "fall from the first validation to the last, and its samples' SWD is at most "
        f"{AS_GOOD:g} times that of the f-VAE with d = D, where there is one (mean over seeds)",
        {},
        OPEN,
        "The experiment has no such model; `family` has one.",
    )
    resolved, image = resolve(experiment), 3 * experiment.data.size**2
    models = {name: spec for name, spec in resolved.items() if spec.kind in ("fvae", "mixture")}
    latents = {name: describe(spec, experiment.data.size)["latent"]["dims"] for name, spec in models.items()}
    runs = {name: [layout.Run(experiment_name, name, seed) for seed in experiment.seeds] for name in models}
    full = [name for name, spec in models.items() if spec.kind == "fvae" and latents[name] == image]
    limit = AS_GOOD * np.mean(numbers(runs[full[0]], "swd", "mean")) if full else math.inf
    reasons = []
    for name in (name for name in models if latents[name] < image):
        bounds, distances = numbers(runs[name], "bpd", "bpd"), numbers(runs[name], "swd", "mean")
        curves = [history(run) for run in runs[name]]
        learns = {
            "its bound is not finite": all(bound is not None and math.isfinite(bound) for bound in bounds),
            **{f"its held-out {what} does not fall": all(falls(each[key]) for each in curves) for key, what in ROWS},
            f"its samples' SWD is above {limit:.1f}": np.mean(distances) <= limit,
        }
        flaws = [flaw for flaw, sound in learns.items() if not sound]
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


def listed(values: Any, form: str) -> str:
    """The numbers of all seeds."""
    return ", ".join(f"{value:{form}}" for value in values)
