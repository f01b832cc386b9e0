"""Tell Snakemake which files DVC vouches for: those of stages that, with all before them, are as dvc.lock says.

After `dvc pull`, `dvc checkout` or `dvc exp apply` they are what the parameters make, but Snakemake did not make them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networkx
from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.stage import Stage


def vouched_for(repo: Repo) -> list[str]:
    """The files of up-to-date stages, whose earlier stages are up to date too."""
    graph = repo.index.graph  # from a stage to those that it needs
    with repo.lock:
        changed = {stage for stage in graph if is_changed(stage)}
    files = []
    for stage in graph:
        if changed.isdisjoint({stage, *networkx.descendants(graph, stage)}):
            for out in stage.outs:
                path = Path(out.fs_path).relative_to(repo.root_dir)
                files += [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return sorted(map(str, files))


def is_changed(stage: Stage) -> bool:
    """Whether a stage is not what dvc.lock says; one that `dvc repro` is at, or that needs it, is not."""
    try:
        return bool(stage.status())
    except LockError:
        return True


def remove_unversioned(repo: Repo) -> None:
    """Remove what DVC does not hold, for it may be of another version; it is made again when needed."""
    for path in Path("results").rglob("*"):
        if path.suffix in (".npy", ".npz", ".json") and repo.dvcignore.is_ignored_file(str(path.absolute())):
            path.unlink()


def main() -> None:
    """Touch them, by Snakemake, in the order in which they would be made."""
    try:
        with Repo() as repo:
            files = vouched_for(repo)
            remove_unversioned(repo)
    except DvcException as error:
        sys.exit(f"fvae: dvc: {error}")
    print(f"DVC vouches for {len(files)} files", file=sys.stderr)
    if files:
        command = ["snakemake", "--cores", "1", "--touch", "--forceall", "--quiet", "all", "--", *files]
        sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
