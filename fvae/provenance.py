"""What a file was made of and by: parameters, data, seeds, weights, commit, versions."""

from __future__ import annotations

import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fvae import layout
from fvae.errors import UserError
from fvae.files import read_json
from fvae.params import Experiment

PACKAGES = ("torch", "torchvision", "lightning", "numpy", "scipy", "pillow", "pytorch-fid", "matplotlib", "pandas")


def software() -> dict[str, Any]:
    """The commit of the working copy, '-dirty' where it has changed since, and the versions that decide results."""
    return {"commit": _commit(), "versions": {"python": platform.python_version()} | _versions()}


def provenance(experiment_name: str, experiment: Experiment, runs: list[layout.Run]) -> dict[str, Any]:
    """All that decided what shows these runs. Raises UserError where one of them is not trained."""
    manifest = layout.data(experiment_name) / "manifest.json"
    return {
        "experiment": experiment_name,
        "images_sha256": read_json(manifest, "prepare")["images_sha256"] if manifest.exists() else None,
        "runs": {f"{run.model}/seed-{run.seed}": read_json(run.training, "train") for run in runs},
        **software(),
        "parameters": experiment.model_dump(mode="json"),
    }


def read(path: Path) -> dict[str, Any]:
    """The provenance that stands in a PDF or PNG. Raises UserError where there is none."""
    from PIL import UnidentifiedImageError
    from pypdf.errors import PyPdfError

    try:
        return json.loads(_keywords(path))
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing") from error
    except (KeyError, ValueError, PyPdfError, UnidentifiedImageError) as error:
        raise UserError(f"{path}: has no provenance; the PDFs and PNGs of paper_figures have it") from error


def _keywords(path: Path) -> str:
    from PIL import Image
    from pypdf import PdfReader

    if path.suffix == ".pdf":
        information = PdfReader(path).metadata
        return (information.keywords if information else None) or ""
    with Image.open(path) as image:
        return image.info["Keywords"]


def _commit() -> str | None:
    """None outside a Git repository."""
    describe = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        return subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # not every machine has all of them
            continue
    return found
