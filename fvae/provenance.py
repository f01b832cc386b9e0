"""What a figure was made from and by which software: parameters, images, seeds, weights, commit, versions."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fvae import layout
from fvae.errors import UserError
from fvae.files import read_json
from fvae.params import Experiment
from fvae.results import read_cost

PACKAGES = (
    *("torch", "torchvision", "lightning-fabric", "pytorch-fid"),
    *("numpy", "scipy", "pillow", "matplotlib", "pandas"),
)


def software() -> dict[str, Any]:
    """The commit of the project in the current folder, and the versions of the packages that decide results.

    The commit ends in '-dirty' where the working copy has changed since. It is None where Git does not tell it, with
    the reason under 'commit_unknown_because'.
    """
    commit, reason = current_commit()
    found: dict[str, Any] = {"commit": commit}
    if reason:
        found["commit_unknown_because"] = reason
    return found | {"versions": {"python": platform.python_version()} | package_versions()}


def provenance(experiment_name: str, experiment: Experiment, runs: list[layout.Run]) -> dict[str, Any]:
    """All that decides a figure which shows these runs. Raises UserError where one of them is not trained."""
    manifest, command = layout.data(experiment_name) / "manifest.json", f"prepare --experiment {experiment_name}"
    return {
        "experiment": experiment_name,
        "images_sha256": read_json(manifest, command)["images_sha256"] if manifest.exists() else None,
        "runs": {f"{run.model}/seed-{run.seed}": read_cost(run) for run in runs},
        **software(),
        "parameters": experiment.model_dump(mode="json"),
    }


def read(path: Path) -> dict[str, Any]:
    """The provenance inside a PDF or PNG. Raises UserError where there is none."""
    from PIL import UnidentifiedImageError
    from pypdf.errors import PyPdfError

    try:
        return TypeAdapter(dict[str, Any]).validate_json(keywords(path))
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing") from error
    except IsADirectoryError as error:
        raise UserError(f"{path}: a folder; name one PDF or PNG of paper_figures") from error
    except (KeyError, ValueError, OSError, SyntaxError, PyPdfError, UnidentifiedImageError) as error:
        raise UserError(f"{path}: has no provenance; the PDFs and PNGs of paper_figures have it") from error


def keywords(path: Path) -> str:
    """The metadata field of a PDF or of an image that figures keep their provenance in."""
    from PIL import Image
    from pypdf import PdfReader

    if path.suffix.lower() == ".pdf":
        information = PdfReader(path).metadata
        return (information.keywords if information else None) or ""
    with Image.open(path) as image:
        return str(image.info["Keywords"])


def current_commit() -> tuple[str | None, str | None]:
    """The commit of the Git repository that holds params.yaml of the current folder; or None and the reason.

    A copy of the project in a folder of another repository, which does not track it, has no commit.
    """
    try:
        git("ls-files", "--error-unmatch", "params.yaml")
        return git("describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"), None
    except OSError as error:
        return None, f"git: {error.strerror}"
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"git ended with {error.returncode}"]
        if "did not match any file" in lines[0]:
            return None, "the Git repository around this folder does not track params.yaml"
        return None, lines[0]


def git(*arguments: str) -> str:
    """The output of a Git command in the current folder; its messages are in English."""
    environment = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


def package_versions() -> dict[str, str]:
    """The installed versions of PACKAGES."""
    found = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):  # evaluating alone does not need all of them
            found[package] = version(package)
    return found
