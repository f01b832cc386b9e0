"""DVC and Snakemake together: real runs of git, dvc and snakemake."""

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import networkx
import pytest
import yaml
from dvc.repo import Repo
from filelock import FileLock

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("dvc")]

WEIGHTS = "results/demo/runs/fvae/seed-0/weights.safetensors"
BITS = "experiments.demo.evaluation.bpd"


@pytest.fixture(scope="module")
def recorded(finished, tmp_path_factory):
    """All made by Snakemake and nothing known to DVC; then `dvc repro`, recorded and pushed to a folder."""
    project = finished.copy(tmp_path_factory.mktemp("recorded") / "project")
    (project.folder / "dvc.lock").unlink()
    shutil.rmtree(project.folder / ".dvc/cache")
    shutil.rmtree(project.folder / ".dvc/tmp")
    project.output = project.ok("dvc", "repro")
    project.ok("dvc", "remote", "add", "-d", "store", str(tmp_path_factory.mktemp("store")))
    project.commit("recorded")
    project.ok("dvc", "push")
    return project


@pytest.fixture(scope="module")
def pulled(recorded, tmp_path_factory):
    """What `make pull` leaves in a fresh clone."""
    project = recorded.clone(tmp_path_factory.mktemp("pulled") / "project")
    project.ok("dvc", "pull")
    project.ok("python", "-m", "workflow.adopt")
    return project


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_dvc_in_a_fresh_clone_builds_everything(finished):
    """What there is, test_snakemake.py looks at."""
    assert finished.output.count("training results") >= 3
    assert "up to date" in finished.ok("dvc", "status")
    assert finished.planned() == []


def test_dvc_after_snakemake_records_and_computes_nothing(recorded):
    assert "training results" not in recorded.output
    assert recorded.output.count("Nothing to be done") == 3  # once per stage
    assert "up to date" in recorded.ok("dvc", "status")
    assert recorded.ok("dvc", "repro").count("didn't change, skipping") == 3


def test_snakemake_after_dvc_has_nothing_to_do(recorded):
    assert recorded.planned() == []


def test_git_holds_numbers_and_tables_dvc_the_rest(recorded):
    held = [file for file in recorded.ok("git", "ls-files").split() if file.startswith(("data", "results", "paper_"))]
    for file in ("data/raw/.gitkeep", "results/study/metrics.json", "results/faces64/metrics.json"):
        held.remove(file)
    assert {Path(file).suffix for file in held} == {".json", ".csv", ".md", ".tex"}
    assert {"results/demo/metrics.json", "results/demo/history.csv", "results/demo/tables/metrics.md"} <= set(held)
    assert all(file.startswith("results/demo/") and "/runs/" not in file for file in held)


def test_both_graphs_agree(recorded):
    """Every output of a job is a stage's or figures' own; a stage's files need others that DVC knows that it needs."""
    table = csv.DictReader(io.StringIO(recorded.run("snakemake", "--detailed-summary", "all").stdout), delimiter="\t")
    inputs = {row["output_file"]: row["input-file(s)"].split(",") for row in table}
    with Repo(str(recorded.folder)) as repo:
        stages = {stage.addressing: stage for stage in repo.index.stages}
        place = {name: [os.path.relpath(out.fs_path, repo.root_dir) for out in s.outs] for name, s in stages.items()}
        needs = {
            name: [os.path.relpath(dep.fs_path, repo.root_dir) for dep in s.deps if dep.protocol == "local"]
            for name, s in stages.items()
        }
        graph = networkx.relabel_nodes(repo.index.graph, {stage: name for name, stage in stages.items()})
        ignored = {file for file in inputs if repo.dvcignore.is_ignored_file(str(recorded.folder / file))}

    def within(file, places):
        return any(file == place or file.startswith(f"{place}/") for place in places)

    makers = {
        file: name for file in inputs for name, places in place.items() if within(file, places) and file not in ignored
    }
    unversioned = {file for file in inputs if file not in makers}
    assert unversioned == ignored | {"data/inception/status.json", "results/demo/reference.npz"}
    for places in place.values():
        for one in places:
            assert any(within(file, [one]) for file in inputs), one

    def needed(files):
        """Inputs, and those of inputs that DVC does not version."""
        for file in files:
            if file in unversioned:
                yield from needed(inputs[file])
            else:
                yield file

    edges = set()
    for file, maker in makers.items():
        for other in needed(inputs[file]):
            if makers.get(other) != maker and other:
                assert within(other, needs[maker]), f"{maker} makes {file} of {other}"
                if other in makers:
                    edges.add((maker, makers[other]))
    assert edges == set(graph.edges)


def test_dvc_tracks_every_parameter(recorded):
    params = yaml.safe_load((recorded.folder / "params.yaml").read_text())
    lock = yaml.safe_load((recorded.folder / "dvc.lock").read_text())["stages"]
    assert set(lock) == {"data@demo", "results@demo", "paper@demo"}
    for stage in lock.values():
        assert stage["params"]["params.yaml"] == params
        assert "lfw64" in stage["params"]["experiments/photographs.yaml"]["experiments"]


def test_params_diff_names_what_changed(recorded, tmp_path):
    project = recorded.copy(tmp_path / "copy")
    project.edit(models__fvae__learning_rate=0.0005)
    difference = project.ok("dvc", "params", "diff")
    assert "experiments.demo.models.fvae.learning_rate" in difference
    assert "0.0005" in difference
    assert len(difference.strip().splitlines()) == 2  # a heading and the one change
    assert "params.yaml" in project.ok("dvc", "status")


def test_after_a_pull_nothing_is_to_be_done(pulled):
    assert pulled.planned() == []
    assert "up to date" in pulled.ok("dvc", "status")
    assert pulled.ok("git", "status", "--short") == ""


def test_after_a_pull_one_figure_is_drawn_again_without_training(pulled, tmp_path):
    project = pulled.copy(tmp_path / "copy")
    figure = project.folder / "paper_figures/demo/comparison.pdf"
    figure.unlink()
    project.ok("snakemake", "--cores", "1", "paper_figures/demo/comparison.pdf")
    assert project.planned() == ["article"]  # which shows it
    provenance = json.loads(project.ok("python", "-m", "fvae", "provenance", str(figure)))
    assert provenance["runs"]["fvae/seed-0"]["weights_sha256"] == sha256(project.folder / WEIGHTS)
    head = project.ok("git", "rev-parse", "HEAD").strip()
    assert provenance["commit"] == head
    assert provenance["parameters"]["seeds"] == [0]


def test_after_a_pull_a_changed_parameter_is_seen(pulled, tmp_path):
    project = pulled.copy(tmp_path / "copy")
    project.edit(models__fvae__learning_rate=0.0005)
    assert [job for job in project.planned() if job.startswith("train")] == ["train fvae"]


def test_what_was_only_pulled_is_not_taken_for_made(recorded, tmp_path):
    project = recorded.clone(tmp_path / "clone")
    project.ok("dvc", "pull")
    refused = project.run("snakemake", "-n", "all")
    assert refused.returncode != 0
    assert "fvae: results/demo/runs: " in refused.stdout + refused.stderr
    assert "make adopt" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr


def test_what_other_code_made_is_not_accepted_and_made_again(recorded, tmp_path):
    """A clone whose code has changed since dvc.lock: nothing is trusted, and the way on is open."""
    project = recorded.clone(tmp_path / "clone")
    project.ok("dvc", "pull")
    with (project.folder / "fvae/objective.py").open("a") as source:
        source.write("\n# another line\n")
    assert "0 stages are as dvc.lock says" in project.ok("python", "-m", "workflow.adopt")
    assert {"prepare", "train fvae", "train glow", "train vae"} <= set(project.planned())


def test_runs_made_by_hand_are_accepted_where_dvc_knows_nothing(fresh, tmp_path):
    project = fresh.copy(tmp_path / "copy")
    run = project.folder / "results/demo/runs/fvae/seed-0"
    run.mkdir(parents=True)
    (run / "weights.safetensors").write_bytes(b"made by hand")
    assert "make adopt" in project.run("snakemake", "-n", "all").stderr
    assert "no dvc.lock here" in project.ok("python", "-m", "workflow.adopt")
    assert (run / "weights.safetensors").exists()
    assert "prepare" in project.planned()


def test_a_queued_experiment_trains_nothing_that_it_need_not(recorded, tmp_path):
    """In a folder of its own, where Snakemake knows of nothing; then compared, and taken over."""
    project = recorded.copy(tmp_path / "copy")
    measured = project.folder / "results/demo/runs/fvae/seed-0/metrics/bpd.json"
    before = sha256(measured)
    change = ["-S", f"{BITS}.importance_samples=4", "results@demo"]
    project.ok("dvc", "exp", "run", "--queue", "-n", "tighter", *change)
    output = project.ok("dvc", "exp", "run", "--run-all")
    assert "training results" not in output
    assert sha256(measured) == before
    shown = project.ok("dvc", "exp", "show", "--md", "--only-changed")
    assert "tighter" in shown
    assert f"{BITS}.importance_samples" in shown
    project.ok("dvc", "exp", "apply", "tighter")
    assert sha256(measured) != before
    assert project.planned(str(measured.relative_to(project.folder))) != []
    project.ok("python", "-m", "workflow.adopt")
    assert project.planned(str(measured.relative_to(project.folder))) == []
    difference = project.ok("dvc", "metrics", "diff", "--md")
    assert "| results/demo/metrics.json | fvae.bits_per_dim " in difference
    assert "swd" not in difference
    project.ok("python", "-m", "workflow.overlay", "HEAD", "tighter")
    assert (project.folder / "dvc_plots/demo.pdf").stat().st_size > 10_000
    assert "fvae: nowhere: " in project.run("python", "-m", "workflow.overlay", "nowhere").stderr


def test_going_back_gives_the_old_bytes(recorded, tmp_path):
    project = recorded.copy(tmp_path / "copy")
    figure = project.folder / "paper_figures/demo/samples.pdf"
    old = sha256(figure)
    figure.write_bytes(b"a new version")
    project.ok("dvc", "commit", "-f", "paper@demo")
    project.ok("git", "commit", "-qam", "new")
    project.ok("git", "checkout", "-q", "HEAD~1")
    project.ok("dvc", "checkout")
    assert sha256(figure) == old
    assert project.planned() == []


def test_an_output_changed_by_hand_is_noticed_by_dvc_and_the_cache_is_intact(recorded, tmp_path):
    project = recorded.copy(tmp_path / "copy")
    weights = project.folder / WEIGHTS
    good = sha256(weights)
    with weights.open("r+b") as file:
        file.write(b"damage")
    assert "results/demo/runs" in project.ok("dvc", "status")
    project.ok("dvc", "checkout", "--force")
    assert sha256(weights) == good
    assert project.planned() == []


def test_a_killed_repro_goes_on(recorded, tmp_path):
    """SIGKILL to dvc, snakemake and the training at once leaves no lock, and no half file that counts as made."""
    project = recorded.copy(tmp_path / "copy")
    project.edit(models__fvae__learning_rate=0.002)
    before = sha256(project.folder / WEIGHTS)
    state = project.folder / "results/demo/runs/fvae/seed-0/state.pt"
    stage = ["dvc", "repro", "--single-item", "results@demo"]
    with project.start(*stage) as running:
        until = time.monotonic() + 120
        while not state.exists() and time.monotonic() < until:  # it is there before the first step
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
    assert state.exists()
    assert "train fvae" in project.planned()
    project.ok(*stage)
    assert not state.exists()
    assert sha256(project.folder / WEIGHTS) != before
    assert project.planned(WEIGHTS) == []


def test_dvc_repro_needs_no_activated_environment(recorded, tmp_path):
    project = recorded.copy(tmp_path / "copy")
    (project.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    done = subprocess.run(
        [".venv/bin/dvc", "repro", "--force", "--single-item", "data@demo"],
        cwd=project.folder,
        env=project.environment | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr


def test_one_snakemake_at_a_time(recorded, tmp_path):
    project = recorded.copy(tmp_path / "copy")
    (project.folder / "paper_figures/demo/data.pdf").unlink()
    with FileLock(project.folder / ".snakemake/running.lock"):
        refused = project.run("snakemake", "--cores", "1", "paper_figures/demo/data.pdf")
    assert refused.returncode != 0
    assert "fvae: another snakemake is at work in this folder" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    assert not (project.folder / "paper_figures/demo/data.pdf").exists()
