"""What other code or another PyTorch began is not continued unasked, and is not lost."""

import json
import shutil

import grimp
import pandas as pd
import pytest
import torch
from training.states import assert_same
from training.test_loop import run, run_until

from fvae.training import versions as module
from fvae.training.states import States
from fvae.training.versions import PACKAGE, sources, versions

# Imports of a training that cannot change its numbers, or whose values are parts of the fingerprint.
NEUTRAL = {"fvae", "fvae.errors", "fvae.files", "fvae.layout", "fvae.progress", "fvae.provenance", "fvae.results"}
NEUTRAL |= {"fvae.data", "fvae.evaluation", "fvae.data.portraits"}  # empty


@pytest.fixture(autouse=True)
def _fresh():
    """Versions are found once in a process."""
    versions.cache_clear()
    yield
    versions.cache_clear()


def test_the_code_of_a_training_is_all_that_it_imports():
    graph = grimp.build_graph("fvae", cache_dir=None)
    roots = {"fvae.training.loop", "fvae.evaluation.validation"}
    needed = roots.union(*map(graph.find_upstream_modules, roots))
    needed = {name for name in needed - NEUTRAL if not name.startswith("fvae.params")}
    listed = {".".join(("fvae", *file.relative_to(PACKAGE).with_suffix("").parts)) for file in sources()}
    assert needed <= {name.removesuffix(".__init__") for name in listed}


def test_a_changed_source_file_changes_the_digest_of_the_code(tmp_path, monkeypatch):
    copy = shutil.copytree(PACKAGE, tmp_path / "fvae", ignore=shutil.ignore_patterns("__pycache__"))
    before = versions()
    monkeypatch.setattr(module, "PACKAGE", copy)
    versions.cache_clear()
    assert versions() == before
    (copy / "flows/split.py").write_text((copy / "flows/split.py").read_text() + "# changed\n")
    versions.cache_clear()
    assert versions()["code"] != before["code"]


def interrupted(folder, patch, *, by, at=12):
    """A run that other versions began, killed before a step."""
    with patch.context() as context:
        for place in ("states", "record"):
            context.setattr(f"fvae.training.{place}.versions", lambda: versions() | by)
        context.setattr("fvae.training.recovery.SAVE_SECONDS", 0.0)
        run_until(at, folder, context)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ({"code": "0"}, "state.pt was made by other code;"),
        ({"PyTorch": "1.0"}, f"state.pt was made by PyTorch 1.0, not {torch.__version__};"),
        ({"code": "0", "NumPy": "1.0"}, "state.pt was made by other code and NumPy 1.0, not "),
    ],
)
def test_what_others_began_is_said_and_kept_and_the_training_starts_anew(tmp_path, monkeypatch, capsys, by, said):
    run(tmp_path / "whole")
    interrupted(tmp_path / "parts", monkeypatch, by=by)
    names = ("state.pt", "state.validated.pt")
    states = [(tmp_path / "parts" / name).read_bytes() for name in names]
    capsys.readouterr()
    run(tmp_path / "parts")
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("fvae: "))
    assert line.startswith(f"fvae: {tmp_path / 'parts'}: {said}")
    assert "the training starts anew" in line
    assert "move the files of state.kept-1 back and use --resume-across-versions" in line
    assert [(tmp_path / "parts/state.kept-1" / name).read_bytes() for name in names] == states
    shutil.rmtree(tmp_path / "parts/state.kept-1")
    for name in ("weights.safetensors", "training.json"):
        assert (tmp_path / "parts" / name).exists()
    trained_with = json.loads((tmp_path / "parts/training.json").read_text())["trained_with"]
    assert trained_with == [{"from_step": 0, **versions()}]
    assert (tmp_path / "whole/weights.safetensors").read_bytes() == (
        tmp_path / "parts/weights.safetensors"
    ).read_bytes()


def test_what_others_began_is_continued_when_told_to_and_the_results_say_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(States, "remove", lambda self: None)
    interrupted(tmp_path, monkeypatch, by={"code": "0"})
    capsys.readouterr()
    run(tmp_path, resume_across_versions=True)
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("fvae: "))
    assert line.endswith("state.pt was made by other code; the training continues from state.pt")
    assert pd.read_csv(tmp_path / "history.csv")["images"].tolist() == [40, 80, 120]
    trained_with = json.loads((tmp_path / "training.json").read_text())["trained_with"]
    assert trained_with == [{"from_step": 0, **versions(), "code": "0"}, {"from_step": 10, **versions()}]
    assert States(tmp_path, "f").find().remark is None


def test_an_older_set_that_was_kept_is_not_overwritten(tmp_path):
    states = States(tmp_path, "a")
    for step in (1, 2):
        states.save({"step": step}, validated=True)
        assert states.set_aside() == tmp_path / f"state.kept-{step}"
    assert len([*tmp_path.glob("state.kept-*/state*.pt")]) == 4


def test_a_damaged_newest_state_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(States, "remove", lambda self: None)
    run(tmp_path / "whole")
    interrupted(tmp_path / "parts", monkeypatch, by={})
    newest = tmp_path / "parts/state.pt"
    newest.write_bytes(newest.read_bytes()[:-1])
    capsys.readouterr()
    run(tmp_path / "parts")
    said = f"fvae: {tmp_path / 'parts'}: state.pt is damaged; the training continues from state.validated.pt"
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("fvae: ")] == [said]
    assert_same(tmp_path / "whole", tmp_path / "parts")
