"""A copy of the project with a tiny experiment, made once for all tests of the workflow."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import yaml
from filelock import FileLock

ROOT = Path(__file__).parents[2]
COPIED = [
    "Snakefile",
    "dvc.yaml",
    ".dvc",
    ".dvcignore",
    ".gitignore",
    "params.yaml",
    "experiments",
    "workflow",
    "profiles",
]
COPIED += ["fvae", "data/raw/.gitkeep", "results/study/metrics.json", "results/faces64/metrics.json"]


class Project:
    """A working copy, and what one does in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """In which a command goes by the name that a user types."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"PATH": path, "COLUMNS": "200", "NO_COLOR": "1", "DVC_NO_ANALYTICS": "1"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in the copy, and what came of it."""
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=900
        )

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A command in the copy, as the head of a group of processes that can be killed together."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, start_new_session=True, **quiet)

    def ok(self, *command: str) -> str:
        """The output of a command that must succeed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def training(self, snakemake: subprocess.Popen[bytes], run: Path) -> psutil.Process:
        """The process by which a Snakemake trains a run, once it has begun: it logs then."""
        until = time.monotonic() + 120
        while not list(run.glob("live/events*")) and time.monotonic() < until:
            time.sleep(0.1)
        for process in psutil.Process(snakemake.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if process.cmdline()[1:4] == ["-m", "fvae", "train"]:
                    return process
        raise AssertionError("no process trains")

    def planned(self, *targets: str) -> list[str]:
        """The jobs of a dry run, as 'rule' or 'rule model'."""
        jobs, rule = [], None
        for line in self.ok("snakemake", "-n", *(targets or ["all"])).splitlines():
            if line.startswith(("rule ", "localrule ")):
                rule = line.split()[1].rstrip(":")
                jobs.append(rule)
            elif line.strip().startswith("wildcards:") and "model=" in line:
                jobs[-1] = f"{rule} {line.split('model=')[1].split(',')[0]}"
        return sorted(job for job in jobs if job != "all")

    def be_someone(self) -> None:
        """Git commits have an author."""
        self.ok("git", "config", "user.email", "someone@example.org")
        self.ok("git", "config", "user.name", "Someone")

    def commit(self, message: str) -> None:
        """All that has changed."""
        self.ok("git", "add", "-A")
        self.ok("git", "commit", "-q", "-m", message)

    def edit(self, **changes: object) -> None:
        """Change values of params.yaml's demo, named by their path with __ between."""
        file = self.folder / "params.yaml"
        params = yaml.safe_load(file.read_text())
        for path, value in changes.items():
            *parents, name = path.split("__")
            section = params["experiments"]["demo"]
            for parent in parents:
                section = section.setdefault(parent, {})  # what is absent is inherited
            section[name] = value
        file.write_text(yaml.safe_dump(params, sort_keys=False))

    def three_models(self) -> None:
        """Three models are enough; experiments that extend the others go with them."""
        file = self.folder / "params.yaml"
        params = yaml.safe_load(file.read_text())
        for model in ("vae_dense", "fvae_reduced", "fvae_conv"):
            del params["experiments"]["demo"]["models"][model]
        del params["experiments"]["family"]["models"]["fvae_autoregressive"]  # it extends one of them
        for experiment in ("study", "study_parameters"):
            del params["experiments"][experiment]
        (self.folder / "experiments" / "searches.yaml").write_text("experiments: {}\n")
        file.write_text(yaml.safe_dump(params, sort_keys=False))

    def copy(self, folder: Path) -> "Project":
        """Another copy of all of it, results and times included."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def clone(self, folder: Path) -> "Project":
        """A fresh clone by Git elsewhere."""
        self.ok("git", "clone", "-q", str(self.folder), str(folder))
        fresh = Project(folder)
        fresh.be_someone()
        return fresh


def tiny(folder: Path) -> Project:
    """The project with `demo` made so small that it runs in a minute or two."""
    folder.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "tmp", "cache"))
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    project = Project(folder)
    project.three_models()
    project.edit(
        claims__vae=["vae"],
        claims__fvae=["fvae"],
        data__size=16,
        data__train=1400,  # images.npy above the megabyte from which Snakemake by default trusts times alone
        data__validation=36,
        data__test=36,
        models__vae__encoder__steps=1,
        models__glow__flow__levels=2,
        models__glow__flow__steps=1,
        models__fvae__encoder__steps=1,
        models__fvae__flow__levels=1,
        models__fvae__flow__steps=1,
        models__fvae__flow__width=16,
        training__images=2800,
        training__cooldown_images=1400,
        training__validate_every_images=1400,
        training__validation_images=16,
        sampling__random__images=36,
        sampling__random__draws=2,
        sampling__sheets__images=8,
        sampling__temperatures={"images": 4, "temperatures": [0.0, 1.0]},
        sampling__interpolation={"pairs": 2, "steps": 3},
        sampling__interpolation_four={"sheets": 2, "steps": 3},
        sampling__sources={"images": 16},
        sampling__grain={"images": 25},
        evaluation__bpd={"images": 16, "importance_samples": 2},
        evaluation__sharpness={"images": 16},
        evaluation__fid={"mode": "optional", "images": 36},
        evaluation__swd={"images": 16, "patches": 4},
        evaluation__portrait_distance={"images": 36},
    )
    return project


@contextmanager
def all_cores() -> Iterator[None]:
    """Let programs use the cores of all workers of xdist, and not one alone, since the other workers wait for them."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, os.sched_getaffinity(os.getppid()))
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Project:
    """The tiny project with nothing made; tests do not change it."""
    return tiny(tmp_path_factory.mktemp("fresh") / "a project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Project:
    """The tiny project as `dvc repro` makes it, by Snakemake, in a fresh clone; tests that change it work in a copy.

    It is made once for all workers: the first one that needs it makes it, and the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent  # each worker has a folder of its own in it
    output, folder = shared / "finished.txt", shared / "finished" / "a project"
    with FileLock(shared / "finished.lock"):
        if not output.exists():
            shutil.rmtree(folder.parent, ignore_errors=True)
            project = tiny(folder)
            project.ok("git", "init", "-q", "-b", "main")
            project.be_someone()
            project.commit("everything")
            with all_cores():
                output.write_text(project.ok("dvc", "repro"))
    project = Project(folder)
    project.output = output.read_text()
    return project
