"""The table of metrics: bits/dim, SWD, FID, sharpness, each with what it is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fvae import layout
from fvae.files import read_json
from fvae.paper import style
from fvae.paper.table import Table, mean_and_spread, over_seeds
from fvae.params import Experiment


def measured(run: layout.Run) -> dict[str, dict[str, Any]]:
    """All metrics of a run."""
    return {name: read_json(run.metric(name), f"evaluate {name}") for name in ("bpd", "swd", "fid", "sharpness")}


def table(experiment_name: str, experiment: Experiment) -> Table:
    """A row a model and seed in numbers, a row a model as printed."""
    numbers, printed, reasons = [], [], set()
    for name in experiment.models:
        runs = [measured(layout.Run(experiment_name, name, seed)) for seed in experiment.seeds]
        for seed, run in zip(experiment.seeds, runs, strict=True):
            numbers.append(
                {
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
                    "reconstruction_high_frequency_db": run["sharpness"]["reconstructions"]["high_frequency_db"],
                    "reconstruction_psnr": run["sharpness"]["reconstructions"]["psnr"],
                    "reconstruction_ssim": run["sharpness"]["reconstructions"]["ssim"],
                }
            )
        levels = list(runs[0]["swd"]["swd"])
        bound = "≤ " if runs[0]["bpd"]["bound"] else ""
        elbos = [run["bpd"]["elbo"] for run in runs]
        fids = [run["fid"]["fid"] for run in runs]
        again = [run["sharpness"]["reconstructions"] for run in runs]
        exact = any(each["psnr"] is None for each in again)
        reasons |= {run["fid"]["reason"] for run in runs if run["fid"]["fid"] is None}
        printed.append(
            {
                "model": style.label(name),
                "bits/dim ↓": bound + mean_and_spread([run["bpd"]["bpd"] for run in runs], 3),
                "ELBO ↓": "≤ " + mean_and_spread(elbos, 3) if bound else "",
                **{
                    f"SWD {level} ↓": mean_and_spread([run["swd"]["swd"][level] for run in runs], 1) for level in levels
                },
                "SWD mean ↓": mean_and_spread([run["swd"]["mean"] for run in runs], 1),
                "FID ↓": "n/a" if None in fids else mean_and_spread(fids, 1),
                "HF samples, dB": mean_and_spread([run["sharpness"]["high_frequency_db"] for run in runs], 1),
                "HF recon., dB": mean_and_spread([each["high_frequency_db"] for each in again], 1),
                "PSNR, dB ↑": "exact" if exact else mean_and_spread([each["psnr"] for each in again], 1),
                "SSIM ↑": mean_and_spread([each["ssim"] for each in again], 3),
            }
        )
    floor = runs[0]["swd"]["training_images"]
    printed.append(
        {"model": "training images", "SWD mean ↓": f"{floor['mean']:.1f}", "HF samples, dB": "0.0"}
        | {f"SWD {level} ↓": f"{distance:.1f}" for level, distance in floor["swd"].items()}
    )
    return Table(pd.DataFrame(numbers), pd.DataFrame(printed).fillna(""), notes(experiment, runs[0], reasons))


def notes(experiment: Experiment, run: dict[str, dict[str, Any]], reasons: set[str]) -> list[str]:
    """What the numbers are."""
    settings, sharpness = experiment.evaluation, run["sharpness"]
    lines = [
        f"Bits/dim of {run['bpd']['images']:,} dequantised test images, standard error over images "
        f"{run['bpd']['standard_error']:.3f} or so; exact for a flow, ≤: an upper bound, importance-weighted with "
        f"K = {settings.bpd.importance_samples} samples of u; ELBO: the mean over the same samples.",
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
    return lines + [f"FID is n/a: {reason}" for reason in sorted(reasons)]
