"""Let Snakemake accept the files that DVC vouches for, after `dvc pull`, `dvc checkout` or `dvc exp apply`.

dvc.lock says which outputs were made from which inputs, by which parameters. Where outputs and inputs are as it says,
Snakemake records that the outputs were made by those parameters. It then plans as it does after its own runs: what a
difference between dvc.lock and params.yaml affects is made again, and nothing else.

In a folder where Snakemake never ran it could not know that an output is outdated. There, outputs that are as dvc.lock
says but were made from other inputs, such as other code, are deleted: DVC or Git holds them, and they are made again.

This relies on dvc.lock (schema 2.0) and on the MD5 that DVC gives to a folder: that of the JSON list of its files. The
command `dvc status` would compare the same, but it is blocked while `dvc repro` runs a stage, which is when
workflow/stage needs the answer. Tested with DVC 3.67 and Snakemake 9.27.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from fvae.files import write_text
from fvae.layout import RAW
from workflow.planning import STARTED

LOCK = Path("dvc.lock")
RECORDED = Path(".snakemake/recorded")  # params.yaml and experiments/*.yaml
YAML_1_2 = YAML(typ="safe")  # as DVC reads and writes it

Stage = dict[str, Any]


def stages_as_recorded() -> tuple[list[Stage], list[Stage]]:
    """The stages whose outputs are as dvc.lock says: those whose inputs are so too, and the outdated others.

    Snakemake compares raw data itself, with the digest in the manifest of the prepared images.
    """
    if not LOCK.exists():
        return [], []
    stages = locked_stages()
    places = {Path(part["path"]) for stage in stages for part in (*inputs_of(stage), *stage["outs"])}
    ignored = ignored_by_dvc(file for place in places for file in files(place))
    present = {place: md5(place, ignored) for place in places}

    def as_recorded(parts: list[dict[str, str]]) -> bool:
        return all(present[Path(part["path"])] == part["md5"] for part in parts)

    made = [stage for stage in stages if as_recorded(stage["outs"])]
    current = [stage for stage in made if as_recorded(inputs_of(stage))]
    return current, [stage for stage in made if stage not in current]


def locked_stages() -> list[Stage]:
    """The stages of dvc.lock. Ends with one line where it is damaged or has Git's conflict marks."""
    try:
        return list(YAML_1_2.load(LOCK)["stages"].values())
    except (YAMLError, KeyError, TypeError, AttributeError):
        sys.exit(f"fvae: {LOCK}: damaged, or with Git's conflict marks; take one version: git checkout HEAD {LOCK}")


def inputs_of(stage: Stage) -> list[dict[str, str]]:
    """A stage's inputs, but for raw data."""
    return [part for part in stage["deps"] if part["path"] != str(RAW)]


def files(place: Path) -> list[Path]:
    """A file, or the files of a folder; nothing where neither is there."""
    if place.is_file():
        return [place]
    return [file for file in place.rglob("*") if file.is_file()]


def ignored_by_dvc(paths: Iterable[Path]) -> set[Path]:
    """Those of some paths that .dvcignore hides from DVC."""
    command, names = ["dvc", "check-ignore", "--stdin"], "\n".join(map(str, paths))
    done = subprocess.run(command, input=names, capture_output=True, text=True, check=False)
    if done.stderr:
        sys.exit(f"fvae: dvc check-ignore: {done.stderr.strip()}")
    return {Path(name) for name in done.stdout.splitlines()}


def md5(place: Path, ignored: set[Path]) -> str | None:
    """The MD5 of a file or a folder as DVC computes it; None where there is neither."""
    if place.is_file():
        return hash_of(place)
    if not place.is_dir():
        return None
    listed = {file.relative_to(place).as_posix(): hash_of(file) for file in files(place) if file not in ignored}
    entries = [{"md5": digest, "relpath": name} for name, digest in sorted(listed.items())]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def hash_of(file: Path) -> str:
    """The MD5 of a file's content."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def accept(stages: list[Stage]) -> None:
    """Let Snakemake record the outputs of stages that were made by the same parameters.

    What DVC does not hold beside the outputs, such as samples that figures alone need, may be of another version: it is
    deleted, and made again when it is needed.
    """
    present = [file for stage in stages for out in stage["outs"] for file in files(Path(out["path"]))]
    ignored = ignored_by_dvc(present)
    for file in ignored:
        if file.suffix in (".npy", ".json"):
            file.unlink()
    targets = sorted({str(file) for file in present if file not in ignored})
    recorded = f"recorded_params={RECORDED / 'params.yaml'}"
    options = ["--cores", "1", "--forceall", "--quiet", "all", "--config", recorded]
    done = subprocess.run([sys.executable, "-m", "workflow.touch", *options, "--", *targets], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    """Accept each group of stages that have the same parameters."""
    stages, outdated = stages_as_recorded()
    if not STARTED.exists():
        for file in (file for stage in outdated for out in stage["outs"] for file in files(Path(out["path"]))):
            file.unlink()
    groups: dict[str, list[Stage]] = {}
    for stage in stages:
        groups.setdefault(json.dumps(stage["params"], sort_keys=True), []).append(stage)
    recorded = f"{len(stages)} stages are as dvc.lock says" if LOCK.exists() else "no dvc.lock here, which is no error"
    print(recorded, file=sys.stderr)
    for group in groups.values():
        shutil.rmtree(RECORDED, ignore_errors=True)
        for name, params in group[0]["params"].items():
            text = io.StringIO()
            YAML_1_2.dump(params, text)
            write_text(RECORDED / name, text.getvalue())
        accept(group)
    STARTED.parent.mkdir(exist_ok=True)
    STARTED.touch()


if __name__ == "__main__":
    main()
