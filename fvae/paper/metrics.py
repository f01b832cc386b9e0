"""The table of metrics: bits/dim, SWD, FID and sharpness, each with what it is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fvae import layout
from fvae.paper import style
from fvae.paper.table import Table, held_out, mean_and_spread, over_seeds
from fvae.params import Experiment
from fvae.results import read_metric

SHOWN = ("bpd", "swd", "fid", "sharpness")
Metrics = dict[str, dict[str, Any]]  # of one run, by name


def table(experiment_name: str, experiment: Experiment) -> Table:
    """One row per model and seed in numbers, one row per model as printed."""
    numbers, printed, reasons = [], [], set()
    for name in experiment.models:
        runs = [measured(layout.Run(experiment_name, name, seed)) for seed in experiment.seeds]
        numbers += [numbers_row(name, seed, run) for seed, run in zip(experiment.seeds, runs, strict=True)]
        printed.append(printed_row(name, runs))
        reasons |= {run["fid"]["reason"] for run in runs if run["fid"]["fid"] is None}
    floor = runs[0]["swd"]["training_images"]
    printed.append(
        {"model": "training images", "SWD mean ↓": mean_and_spread([floor["mean"]], 1), "HF samples, dB": "0.0"}
        | {f"SWD {level} ↓": mean_and_spread([distance], 1) for level, distance in floor["swd"].items()}
    )
    return Table(pd.DataFrame(numbers), pd.DataFrame(printed).fillna(""), notes(experiment, runs[0], reasons))


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
        **{f"swd_{level}": distance for level, distance in run["swd"]["swd"].items()},
        "swd_mean": run["swd"]["mean"],
        "swd_mean_of_training_images": run["swd"]["training_images"]["mean"],
        "fid": run["fid"]["fid"],
        "high_frequency_db": run["sharpness"]["high_frequency_db"],
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
        return mean_and_spread([run[metric][key] for run in runs], digits)

    return {
        "model": style.label(name),
        "bits/dim ↓": bound + of("bpd", "bpd", 3),
        "ELBO ↓": "≤ " + of("bpd", "elbo", 3) if bound else "",
        **{
            f"SWD {level} ↓": mean_and_spread([run["swd"]["swd"][level] for run in runs], 1)
            for level in runs[0]["swd"]["swd"]
        },
        "SWD mean ↓": of("swd", "mean", 1),
        "FID ↓": of("fid", "fid", 1),
        "HF samples, dB": of("sharpness", "high_frequency_db", 1),
        "HF recon., dB": mean_and_spread([each["high_frequency_db"] for each in reconstructions], 1),
        "PSNR, dB ↑": "exact" if exact else mean_and_spread([each["psnr"] for each in reconstructions], 1),
        "SSIM ↑": mean_and_spread([each["ssim"] for each in reconstructions], 3),
    }


def notes(experiment: Experiment, run: Metrics, reasons: set[str]) -> list[str]:
    """What the numbers are, and why FID is missing where it is."""
    settings, sharpness = experiment.evaluation, run["sharpness"]
    lines = [
        f"Bits/dim of {run['bpd']['images']:,} dequantised test images, with a standard error over images of about "
        f"{mean_and_spread([run['bpd']['standard_error']], 3)}; exact for a flow, ≤: an upper bound, "
        f"importance-weighted with K = {settings.bpd.importance_samples} samples of u; ELBO: the mean over the same "
        "samples.",
        f"SWD × 10³ by pyramid level, {run['swd']['images']:,} samples at T = "
        f"{experiment.sampling.random.temperature:g} against as many test images; last row: training images.",
        f"HF: power beside that of test images in the upper half of the frequencies, of {sharpness['images']:,} "
        f"samples and of {sharpness['reconstructions']['images']:,} reconstructed test images; 0 dB is as sharp, below "
        "blurred, above noisy. PSNR and SSIM: of the same reconstructions.",
        over_seeds(len(experiment.seeds)),
    ]
    if run["fid"]["fid"] is not None:
        lines.append(
            f"FID: {run['fid']['images']:,} samples against {run['fid']['reference_images']:,} training images; "
            "FID∞, KID and others are in the table of fidelity."
        )
    return held_out(experiment) + lines + [f"FID is n/a: {reason}" for reason in sorted(reasons)]
