"""Which code a job depends on: computed from imports, and compared here with an independent reading of the sources."""

import ast
import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from workflow.planning import NEUTRAL, code

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]
ROOT = Path(__file__).parents[2]
OF_SAMPLES = (
    "swd",
    "portrait_distance",
    "random_features",
    "sharpness",
    "special_case",
)  # metrics that one job measures
FILES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "fvae").rglob("*.py"))


def module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module(file): file for file in FILES}


def imported(file: str) -> set[str]:
    """The project's files that a file imports, by its import statements, those within functions included."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}": node.module for alias in node.names}
            found |= {name if name in MODULES else package for name, package in names.items()}
    return {MODULES[name] for name in found if name in MODULES}


def closure(file: str) -> set[str]:
    """A file and all that it imports in turn."""
    found, left = set(), {file}
    while left:
        found |= left
        left = set().union(*map(imported, left)) - found
    return found


def neutral(file: str) -> bool:
    return any(module(file) == name or module(file).startswith(f"{name}.") for name in NEUTRAL)


@pytest.mark.parametrize("file", FILES)
def test_the_code_of_a_module_is_all_that_it_imports(file):
    assert set(code(module(file))) == {path for path in closure(file) if not neutral(path)}


@pytest.mark.parametrize("root", ["fvae.commands.train", "fvae.commands.sample", "fvae.paper.curves"])
def test_what_python_loads_is_among_the_code(root):
    """But for the files of packages, which Python loads on the way to a module."""
    script = f"import sys, {root}; print(*(name for name in sys.modules if name.startswith('fvae.')))"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = {MODULES[name] for name in loaded.split()}
    assert {file for file in files if not neutral(file) and not file.endswith("__init__.py")} <= set(code(root))


def test_every_job_lists_the_code_that_it_runs(finished):
    """Snakemake's own list of inputs: a change of any file of fvae/ reaches the jobs that import it, and no others."""
    table = csv.DictReader(io.StringIO(finished.run("snakemake", "--detailed-summary", "all").stdout), delimiter="\t")
    inputs = {row["output_file"]: set(row["input-file(s)"].split(",")) for row in table}
    run = "results/demo/runs/fvae/seed-0"
    roots = {
        "data/demo/images.npy": ["fvae/commands/prepare.py"],
        "results/demo/runs/fvae/model.json": ["fvae/commands/match.py"],
        f"{run}/weights.safetensors": ["fvae/commands/train.py"],
        f"{run}/samples/random.npy": ["fvae/commands/sample.py"],
        f"{run}/samples/grain.npy": ["fvae/commands/sample.py", "fvae/evaluation/metrics/grain.py"],
        f"{run}/metrics/bpd.json": ["fvae/commands/evaluate.py", "fvae/evaluation/metrics/bpd.py"],
        f"{run}/metrics/swd.json": [
            "fvae/commands/evaluate.py",
            *(f"fvae/evaluation/metrics/{each}.py" for each in OF_SAMPLES),
        ],
        "results/demo/metrics.json": ["fvae/commands/summary.py"],
        "paper_figures/demo/curves.pdf": ["fvae/paper/curves.py"],
        "results/demo/tables/sizes.md": ["fvae/paper/sizes.py"],
    }
    for output, files in roots.items():
        listed = {file for file in inputs[output] if file in FILES}
        assert listed == {file for root in files for file in closure(root) if not neutral(file)}, output
    trained_by = inputs[f"{run}/weights.safetensors"]
    assert {"fvae/evaluation/validation.py", "fvae/data/pixels.py", "fvae/objective.py"} <= trained_by


@pytest.mark.parametrize(
    ("file", "first"),
    [
        ("fvae/evaluation/validation.py", "train"),
        ("fvae/data/pixels.py", "train"),
        ("fvae/evaluation/metrics/bpd.py", "evaluate_bpd"),
        ("fvae/paper/spectra.py", "spectra"),
    ],
)
def test_a_changed_file_runs_its_jobs(finished, tmp_path, file, first):
    project = finished.copy(tmp_path / "copy")
    with (project.folder / file).open("a") as source:
        source.write("\n# another line\n")
    planned = {job.split()[0] for job in project.planned()}
    assert first in planned
    assert ("train" in planned) == (first == "train")


def test_a_dry_run_writes_nothing(fresh, tmp_path):
    project = fresh.copy(tmp_path / "copy")

    def files():
        return {path for path in project.folder.rglob("*") if "__pycache__" not in path.parts and path.is_file()}

    before = files()
    project.planned()
    snakemakes_own = {"log", "iocache"}  # folders in .snakemake
    assert not [path for path in files() - before if not snakemakes_own & set(path.parts)]
