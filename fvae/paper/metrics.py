"""The table of metrics: bits/dim, SWD, other distances, FID and sharpness, each with what it is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fvae import layout
from fvae.paper import random_features, style
from fvae.paper.fidelity import fid_floor
from fvae.paper.table import Table, held_out, mean_and_spread, over_draws, over_subsets
from fvae.params import Experiment
from fvae.results import read_floor, read_metric

SHOWN = ("bpd", "swd", "portrait_distance", "random_features", "fid", "sharpness")
PORTRAITS = "portrait distance ↓"  # a column of experiments with drawn portraits
Metrics = dict[str, dict[str, Any]]  # of one run, by name


def table(experiment_name: str, experiment: Experiment) -> Table:
    """One row per model and seed in numbers, one row per model as printed; then a row of real images."""
    numbers, printed, reasons = [], [], set()
    for name in experiment.models:
        runs = [measured(layout.Run(experiment_name, name, seed)) for seed in experiment.seeds]
        numbers += [numbers_row(name, seed, run) for seed, run in zip(experiment.seeds, runs, strict=True)]
        printed.append(printed_row(name, runs))
        reasons |= {run["fid"]["reason"] for run in runs if run["fid"]["fid"] is None}
    floor = read_floor(experiment_name)
    real_numbers, real_printed = floor_rows(floor)
    frame = pd.DataFrame([*numbers, real_numbers]).astype({"seed": "Int64"})  # the row of real images has no seed
    rows = pd.DataFrame([*printed, real_printed]).fillna("")
    return Table(frame, rows, notes(experiment, runs[0], floor, reasons))


def measured(run: layout.Run) -> Metrics:
    """The metrics of a run that this table shows."""
    return {name: read_metric(run, name) for name in SHOWN}


def numbers_row(name: str, seed: int, run: Metrics) -> dict[str, Any]:
    """The numbers of one run."""
    reconstructions = run["sharpness"]["reconstructions"]
    return {
        "model": name,
        "seed": seed,
        "bpd": run["bpd"]["bpd"],
        "bpd_standard_error": run["bpd"]["standard_error"],
        "bpd_is_bound": run["bpd"]["bound"],
        "elbo": run["bpd"]["elbo"],
        **swd_numbers(run["swd"]),
        "portrait_distance": run["portrait_distance"]["portrait_distance"],
        "portrait_distance_standard_deviation": run["portrait_distance"]["standard_deviation"],
        **random_numbers(run["random_features"]),
        "fid": run["fid"]["fid"],
        "fid_standard_deviation": run["fid"]["fid_standard_deviation"],
        "high_frequency_db": run["sharpness"]["high_frequency_db"],
        "high_frequency_db_standard_deviation": run["sharpness"]["high_frequency_db_standard_deviation"],
        "reconstruction_high_frequency_db": reconstructions["high_frequency_db"],
        "reconstruction_psnr": reconstructions["psnr"],
        "reconstruction_ssim": reconstructions["ssim"],
    }


def printed_row(name: str, runs: list[Metrics]) -> dict[str, str]:
    """The numbers of a model over its seeds, as printed."""
    bound = "≤ " if runs[0]["bpd"]["bound"] else ""
    reconstructions = [run["sharpness"]["reconstructions"] for run in runs]
    exact = any(each["psnr"] is None for each in reconstructions)

    def of(metric: str, key: str, digits: int) -> str:
        of_draws = runs[0][metric].get(f"{key}_standard_deviation")
        return mean_and_spread([run[metric][key] for run in runs], digits, of_one=of_draws)

    return {
        "model": style.label(name),
        "bits/dim ↓": bound + of("bpd", "bpd", 3),
        "ELBO ↓": "≤ " + of("bpd", "elbo", 3) if bound else "",
        **swd_cells([run["swd"] for run in runs]),
        **perceptual_cells(runs),
        "FID ↓": of("fid", "fid", 1),
        "HF samples, dB": of("sharpness", "high_frequency_db", 1),
        "HF recon., dB": mean_and_spread([each["high_frequency_db"] for each in reconstructions], 1),
        "PSNR, dB ↑": "exact" if exact else mean_and_spread([each["psnr"] for each in reconstructions], 1),
        "SSIM ↑": mean_and_spread([each["ssim"] for each in reconstructions], 3),
    }


def floor_rows(floor: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The row of real images: its numbers, and as it is printed."""
    swd, fid, portraits, random = (floor[name] for name in ("swd", "fid", "portrait_distance", "random_features"))
    numbers = {"model": "real images", **swd_numbers(swd), **random_numbers(random), "fid": fid["mean"]}
    printed = {"model": "real images", **swd_cells([swd])}
    if portraits is not None:
        deviation = portraits["standard_deviation"]
        numbers |= {"portrait_distance": portraits["mean"], "portrait_distance_standard_deviation": deviation}
        printed[PORTRAITS] = mean_and_spread([portraits["mean"]], 1, of_one=deviation)
    else:
        printed |= random_features.frechet_cell([random])
    if fid["mean"] is not None:
        printed["FID ↓"] = mean_and_spread([fid["mean"]], 1, of_one=fid["standard_deviation"])
    return numbers | {"fid_standard_deviation": fid["standard_deviation"]}, printed


def swd_numbers(swd: dict[str, Any]) -> dict[str, Any]:
    """SWD by level and its mean, each with its standard deviation."""
    deviations = swd["swd_standard_deviation"]
    levels = {f"swd_{level}": distance for level, distance in swd["swd"].items()}
    return {
        **levels,
        **{f"swd_{level}_standard_deviation": deviation for level, deviation in deviations.items()},
        "swd_mean": swd["mean"],
        "swd_mean_standard_deviation": swd["standard_deviation"],
    }


def swd_cells(found: list[dict[str, Any]]) -> dict[str, str]:
    """SWD by level and its mean over seeds, as printed."""
    first = found[0]
    levels = {
        f"SWD {level} ↓": mean_and_spread(
            [each["swd"][level] for each in found], 1, of_one=first["swd_standard_deviation"][level]
        )
        for level in first["swd"]
    }
    means = [each["mean"] for each in found]
    return levels | {"SWD mean ↓": mean_and_spread(means, 1, of_one=first["standard_deviation"])}


def random_numbers(found: dict[str, Any]) -> dict[str, Any]:
    """The Fréchet distance in random features, with its standard deviation."""
    return {
        "random_features_frechet": found["frechet"],
        "random_features_frechet_standard_deviation": found["frechet_standard_deviation"],
    }


def perceptual_cells(runs: list[Metrics]) -> dict[str, str]:
    """The portrait distance over seeds, as printed; of photographs the Fréchet distance in random features."""
    found = [run["portrait_distance"] for run in runs]
    distances = [each["portrait_distance"] for each in found]
    if None in distances:
        return random_features.frechet_cell([run["random_features"] for run in runs])
    return {PORTRAITS: mean_and_spread(distances, 1, of_one=found[0]["standard_deviation"])}


def notes(experiment: Experiment, run: Metrics, floor: dict[str, Any], reasons: set[str]) -> list[str]:
    """What the numbers are, and why FID is missing where it is."""
    settings, sharpness, real = experiment.evaluation, run["sharpness"], floor["swd"]
    lines = [
        f"Bits/dim of {run['bpd']['images']:,} dequantised test images, with a standard error over images of about "
        f"{mean_and_spread([run['bpd']['standard_error']], 3)}; exact for a flow, ≤: an upper bound, "
        f"importance-weighted with K = {settings.bpd.importance_samples} samples of u; ELBO: the mean over the same "
        "samples.",
        f"SWD × 10³ by pyramid level, {run['swd']['images']:,} samples at T = "
        f"{experiment.sampling.random.temperature:g} against as many random test images. Real images: "
        f"{real['images']:,} random training images against as many random test images, "
        f"{over_subsets(len(real['subsets']))}.",
        f"HF: power beside that of test images in the upper half of the frequencies, of {sharpness['images']:,} "
        f"samples and of {sharpness['reconstructions']['images']:,} reconstructed test images; 0 dB is as sharp, below "
        "blurred, above noisy. PSNR and SSIM: of the same reconstructions.",
        over_draws(len(experiment.seeds), experiment.sampling.random.draws),
    ]
    if run["portrait_distance"]["portrait_distance"] is not None:
        lines.append(
            "Portrait distance: a Fréchet distance in the features of a network that reads the factors of a drawn "
            f"portrait, {run['portrait_distance']['images']:,} samples against as many random test images; not FID."
        )
    else:
        lines.append(
            f"{random_features.FRECHET}: of {run['random_features']['images']:,} samples; not FID. "
            "Precision and others of the same features are in the table of random features."
        )
    if run["fid"]["fid"] is not None:
        lines.append(
            f"FID: {run['fid']['images']:,} samples against {run['fid']['reference_images']:,} training images; "
            "FID∞, KID and others are in the table of fidelity."
        )
    if floor["fid"]["mean"] is not None:
        lines.append(fid_floor(floor["fid"]))
    return held_out(experiment) + lines + [f"FID is n/a: {reason}" for reason in sorted(reasons)]
