"""The table of metrics: bits/dim, SWD, FID, each with what it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fvae import layout
from fvae.evaluation.metrics import FROM_FEATURES
from fvae.files import read_json
from fvae.paper import style
from fvae.paper.table import Table
from fvae.params import Experiment


def measured(run: layout.Run) -> dict[str, dict[str, Any]]:
    """All metrics of a run."""
    return {name: read_json(run.metric(name), f"evaluate {name}") for name in ("bpd", "swd", "fid", "sharpness")}


def mean_and_spread(values: list[float], digits: int) -> str:
    """The mean, ± the standard deviation over seeds where there are several."""
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


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
                    **{name: run["fid"][name] for name in FROM_FEATURES},
                    "high_frequency_db": run["sharpness"]["high_frequency_db"],
                    "reconstruction_psnr": run["sharpness"]["reconstructions"]["psnr"],
                    "reconstruction_ssim": run["sharpness"]["reconstructions"]["ssim"],
                }
            )
        levels = list(runs[0]["swd"]["swd"])
        bound = "≤ " if runs[0]["bpd"]["bound"] else ""
        elbos = [run["bpd"]["elbo"] for run in runs]
        psnrs = [run["sharpness"]["reconstructions"]["psnr"] for run in runs]
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
                **from_features([run["fid"] for run in runs]),
                "HF power": mean_and_spread([run["sharpness"]["high_frequency_db"] for run in runs], 1) + " dB",
                "PSNR ↑": "exact" if None in psnrs else mean_and_spread(psnrs, 1) + " dB",
            }
        )
    floor = runs[0]["swd"]["training_images"]
    printed.append(
        {"model": "training images", "SWD mean ↓": f"{floor['mean']:.1f}", "HF power": "0 dB"}
        | {f"SWD {level} ↓": f"{distance:.1f}" for level, distance in floor["swd"].items()}
    )
    return Table(pd.DataFrame(numbers), pd.DataFrame(printed).fillna(""), notes(experiment, runs[0], reasons))


def from_features(runs: list[dict[str, Any]]) -> dict[str, str]:
    """FID and its kin over seeds; n/a alone where one of them is not there."""
    if any(run["fid"] is None for run in runs):
        return {"FID ↓": "n/a"}
    return {
        "FID ↓": mean_and_spread([run["fid"] for run in runs], 1),
        "FID∞ ↓": mean_and_spread([run["fid_infinity"] for run in runs], 1),
        "KID × 10³ ↓": mean_and_spread([1e3 * run["kid"] for run in runs], 1),
        "precision ↑": mean_and_spread([run["precision"] for run in runs], 2),
        "recall ↑": mean_and_spread([run["recall"] for run in runs], 2),
    }


def notes(experiment: Experiment, run: dict[str, dict[str, Any]], reasons: set[str]) -> list[str]:
    """What the numbers are."""
    settings, seeds = experiment.evaluation, len(experiment.seeds)
    lines = [
        f"Bits/dim of {run['bpd']['images']:,} dequantised test images, standard error over images "
        f"{run['bpd']['standard_error']:.3f} or so; exact for a flow, ≤: an upper bound, importance-weighted with "
        f"K = {settings.bpd.importance_samples} samples of u; ELBO: the mean over the same samples.",
        f"SWD × 10³ by pyramid level, {run['swd']['images']:,} samples at T = "
        f"{experiment.sampling.random.temperature:g} against as many test images; last row: training images.",
        "HF power: of samples beside that of test images in the upper half of the frequencies; 0 dB is as sharp, below "
        f"blurred, above noisy. PSNR: of {run['sharpness']['reconstructions']['images']:,} reconstructed test images.",
        f"{seeds} seed{'s' if seeds > 1 else ''}" + (": mean ± standard deviation." if seeds > 1 else "."),
    ]
    if run["fid"]["fid"] is not None:
        lines.append(
            f"FID and its kin: {run['fid']['images']:,} samples against {run['fid']['reference_images']:,} training "
            "images; FID∞: FID extrapolated to infinitely many samples."
        )
    return lines + [f"FID is n/a: {reason}" for reason in sorted(reasons)]
