"""Where a figure comes from can be read from the figure."""

import json
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from measurements import write_training

from fvae import layout, params
from fvae.errors import UserError
from fvae.files import write_text
from fvae.paper import FIGURES, runs, style
from fvae.provenance import provenance, read, software

EXPERIMENT = params.load("params.yaml").experiments["demo"]


def commit(*files) -> None:
    """A Git repository in the current folder with one commit of these files."""
    author = ("-c", "user.name=S", "-c", "user.email=s@example.org")
    for command in (("init", "-q"), ("add", *files), (*author, "commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(["git", *command], check=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A Git repository with one commit, an experiment's data and two of its runs."""
    monkeypatch.chdir(tmp_path)
    write_text(Path("params.yaml"), "build: []")
    commit("params.yaml")
    write_text(layout.data("demo") / "manifest.json", json.dumps({"images_sha256": "abc"}))
    for model in ("vae", "fvae"):
        write_training(layout.Run("demo", model, 0))
    return tmp_path


def head() -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("suffix", ["pdf", "png"])
def test_what_is_written_into_a_figure_is_read_from_it(folder, suffix):
    made_of = provenance("demo", EXPERIMENT, runs("shown", "demo", EXPERIMENT))
    figure = plt.figure(figsize=(1, 1))
    path = Path(f"figure.{suffix}")
    style.save(figure, path, json.dumps(made_of))
    plt.close(figure)
    found = read(path)
    assert found == made_of
    assert found["images_sha256"] == "abc"
    assert list(found["runs"]) == ["fvae/seed-0"]
    assert found["runs"]["fvae/seed-0"]["weights_sha256"] == "fvae"
    assert found["parameters"]["models"]["fvae"]["learning_rate"] == EXPERIMENT.models["fvae"].learning_rate
    assert found["commit"] == head()
    assert found["versions"]["torch"]


def test_a_changed_file_makes_the_commit_dirty(folder):
    write_text(Path("params.yaml"), "build: [demo]")
    assert software()["commit"] == f"{head()}-dirty"


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert software()["commit"] is None
    assert "not a git repository" in software()["commit_unknown_because"]


def test_a_copy_inside_another_repository_does_not_name_its_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_text(Path("thesis.tex"), "text")
    commit("thesis.tex")
    write_text(Path("code/params.yaml"), "build: []")
    monkeypatch.chdir("code")
    assert software()["commit"] is None
    assert "does not track params.yaml" in software()["commit_unknown_because"]


def test_a_copy_that_another_repository_tracks_has_its_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_text(Path("code/params.yaml"), "build: []")
    commit("code/params.yaml")
    monkeypatch.chdir("code")
    assert software()["commit"] == head()
    assert "commit_unknown_because" not in software()


def test_where_git_refuses_the_reason_is_given(folder, monkeypatch):
    """Git refuses a repository of another user; this variable of its own tests has it take this one for such."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert software()["commit"] is None
    assert "dubious ownership" in software()["commit_unknown_because"]


def test_without_git_the_reason_is_given(folder, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert software()["commit"] is None
    assert software()["commit_unknown_because"] == "git: No such file or directory"


def test_a_repository_without_a_commit_has_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_text(Path("params.yaml"), "build: []")
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "params.yaml"], check=True)
    assert software()["commit"] is None
    assert software()["commit_unknown_because"].startswith("fatal: ")


def test_every_figure_says_which_runs_it_shows():
    several = EXPERIMENT.model_copy(update={"seeds": (0, 1)})
    assert {len(runs(shown, "demo", several)) for shown in FIGURES.values()} == {0, 1, 3, 5, 6, 12}


def test_a_run_that_is_missing_is_one_line(folder):
    with pytest.raises(UserError, match=r"results/demo/runs/vae_dense/seed-0/training\.json: missing; .* fvae train"):
        provenance("demo", EXPERIMENT, runs("all", "demo", EXPERIMENT))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.pdf", None, "missing.pdf: missing"),
        ("no.pdf", b"not a PDF", "no.pdf: has no provenance"),
        ("no.png", b"not a PNG", "no.png: has no provenance"),
        ("table.csv", b"a,b", "table.csv: has no provenance"),
        ("text.txt", b"text", "text.txt: has no provenance"),
        ("empty.pdf", b"", "empty.pdf: has no provenance"),
        ("empty.png", b"", "empty.png: has no provenance"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\x00\x00", "cut.png: has no provenance"),
        (".", None, r"^\.: a folder; name one PDF or PNG"),
    ],
)
def test_a_file_without_provenance_is_one_line(tmp_path, monkeypatch, name, content, message):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read(Path(name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", ["pdf", "png"])
def test_someone_else_s_figure_is_one_line(tmp_path, suffix):
    figure = plt.figure(figsize=(1, 1))
    figure.savefig(tmp_path / f"a.{suffix}")
    plt.close(figure)
    with pytest.raises(UserError, match="has no provenance"):
        read(tmp_path / f"a.{suffix}")
