"""Let Snakemake accept the files that DVC vouches for, after `dvc pull`, `dvc checkout` or `dvc exp apply`.

dvc.lock says which parameters made which outputs. Where `dvc status` finds a stage's outputs as dvc.lock says, and its
code too, Snakemake records that the outputs were made by the parameters in dvc.lock. It then plans as it does after
its own runs: what a difference between dvc.lock and params.yaml affects is made again, and nothing else.

Tested with DVC 3.67 and Snakemake 9.27, of which it uses the commands `dvc status --json`, `dvc check-ignore` and
`snakemake --touch`, and the file dvc.lock (schema 2.0).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from fvae.files import write_text

RECORDED = Path(".snakemake/recorded-params.yaml")
MAY_DIFFER = {"data/raw"}  # Snakemake compares raw data with the digest in manifest.json


def accepted_stages() -> list[dict[str, Any]]:
    """The stages of dvc.lock whose outputs and code, and those of all stages before them, are as it says."""
    lock = Path("dvc.lock")
    if not lock.exists():
        return []
    stages: dict[str, dict[str, Any]] = yaml.safe_load(lock.read_text())["stages"]
    done = subprocess.run(["dvc", "status", "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"fvae: dvc status: {done.stderr.strip()}")
    changed = {name for name, changes in json.loads(done.stdout).items() if _matters(changes)}
    changed_outputs = [out["path"] for name in changed & stages.keys() for out in stages[name]["outs"]]
    accepted = []
    for name, stage in stages.items():
        needs = [dependency["path"] for dependency in stage["deps"]]
        if name not in changed and not any(need in changed_outputs for need in needs):
            accepted.append(stage)
        else:
            changed_outputs += [out["path"] for out in stage["outs"]]
    return accepted


def _matters(changes: list[Any]) -> bool:
    """Whether a stage differs from dvc.lock in more than parameters and raw data."""
    return any(
        kind == "changed outs" or (kind == "changed deps" and not set(paths) - {"params.yaml"} <= MAY_DIFFER)
        for change in changes
        if isinstance(change, dict)
        for kind, paths in change.items()
    )


def files_of(stages: list[dict[str, Any]]) -> list[str]:
    """The files of stages' outputs that DVC or Git holds; other files there may be of another version: they go."""
    outputs = [Path(out["path"]) for stage in stages for out in stage["outs"]]
    files = [file for out in outputs for file in (out.rglob("*") if out.is_dir() else [out]) if file.is_file()]
    asked = "\n".join(map(str, files))
    ignored = subprocess.run(["dvc", "check-ignore", "--stdin"], input=asked, capture_output=True, text=True, check=False)
    other = set(ignored.stdout.split("\n"))
    for file in files:
        if str(file) in other and file.suffix in (".npy", ".json"):
            file.unlink()
    return sorted(str(file) for file in files if str(file) not in other)


def main() -> None:
    """Accept each group of stages that have the same parameters."""
    stages = accepted_stages()
    groups: dict[str, list[dict[str, Any]]] = {}
    for stage in stages:
        groups.setdefault(yaml.safe_dump(stage["params"]["params.yaml"], sort_keys=False), []).append(stage)
    print(f"DVC vouches for {len(stages)} stages", file=sys.stderr)
    for params, group in groups.items():
        write_text(RECORDED, params)
        config = ["--config", f"recorded_params={RECORDED}"]
        command = ["snakemake", "--cores", "1", "--touch", "--forceall", "--quiet", "all", *config, "--", *files_of(group)]
        if code := subprocess.run(command, check=False).returncode:
            sys.exit(code)


if __name__ == "__main__":
    main()
