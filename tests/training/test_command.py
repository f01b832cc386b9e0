"""The train command: where a model's size comes from."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fvae.commands.train import resolved, run
from fvae.errors import UserError
from fvae.models.match import resolve_one
from fvae.params import load

EXPERIMENT = load().experiments["demo"]
SIZE = resolve_one(EXPERIMENT, "glow").flow.width


def written(folder, **changes):
    """A file of the match command: Glow with another width than the program finds, and with some values changed."""
    section = resolve_one(EXPERIMENT, "glow").model_dump(mode="json")
    section["flow"] |= {"width": SIZE + 1} | changes.pop("flow", {})
    file = folder / "model.json"
    file.write_text(json.dumps({"spec": section | changes, "size": {}}))
    return file


def test_without_a_file_of_the_match_command_the_size_is_computed(tmp_path):
    assert resolved(EXPERIMENT, "glow", tmp_path / "model.json") == resolve_one(EXPERIMENT, "glow")


@pytest.mark.parametrize("changes", [{}, {"learning_rate": 0.5}, {"init": "authors"}])
def test_the_size_is_read_and_the_learning_rate_and_the_start_are_those_of_the_parameters(tmp_path, changes):
    spec = resolved(EXPERIMENT, "glow", written(tmp_path, **changes))
    assert spec.flow.width == SIZE + 1
    assert (spec.learning_rate, spec.init) == (EXPERIMENT.models["glow"].learning_rate, "data")


@pytest.mark.parametrize("changes", [{"steps": 7}, {"coupling": "additive"}, {"width": "match"}])
def test_the_size_of_another_section_is_not_taken(tmp_path, changes):
    assert resolved(EXPERIMENT, "glow", written(tmp_path, flow=changes)) == resolve_one(EXPERIMENT, "glow")


def test_a_model_whose_size_is_given_needs_no_file(tmp_path):
    (tmp_path / "model.json").write_text("")
    assert resolved(EXPERIMENT, "fvae", tmp_path / "model.json") == EXPERIMENT.models["fvae"]


@pytest.mark.parametrize("text", ["", "{}", "[]", "<<<<<<< HEAD", '{"spec": {"kind": "glow"}}'])
def test_a_damaged_file_of_the_match_command_is_one_line(tmp_path, text):
    file = tmp_path / "model.json"
    file.write_text(text)
    with pytest.raises(UserError, match=r"model\.json: damaged"):
        resolved(EXPERIMENT, "glow", file)


def prepared(folder, train=70, validation=40):
    """A set of 150 images, 70 of them for training and 40 for each other split."""
    splits = ["train"] * train + ["validation"] * validation + ["test"] * 40
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", np.zeros((len(splits), 3, 32, 32), np.uint8))
    pd.DataFrame({"split": splits}).to_csv(folder / "index.csv", index=False)
    manifest = {"images_sha256": "0", "splits": {}, "mean": [0.0] * 3, "std": [1.0] * 3}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(("hold_out", "images"), [("true", 70), ("false", 150)])
def test_a_training_sees_the_training_images_or_all(tmp_path, monkeypatch, hold_out, images):
    prepared(tmp_path / "data/demo")
    text = Path("params.yaml").read_text().replace("hold_out: true", f"hold_out: {hold_out}")
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr("fvae.commands.train.check_counts", lambda *_: None)
    monkeypatch.setattr("fvae.commands.train.validator", lambda held_out, **_: len(held_out))
    monkeypatch.setattr("fvae.training.loop.train", lambda _, images, __, **how: seen.append((len(images), how)))
    run("demo", "fvae", 0)
    ((count, how),) = seen
    assert (count, how["validate"]) == (images, 40)
    assert how["settings"].hold_out is (hold_out == "true")


def test_a_model_may_replace_how_it_is_trained(tmp_path, monkeypatch):
    glow = EXPERIMENT.models["glow"].model_copy(update={"dequantise": False, "divergence": "ignore"})
    experiment = EXPERIMENT.model_copy(update={"models": EXPERIMENT.models | {"glow": glow}})
    changed = {"dequantise": False, "divergence": "ignore"}
    assert experiment.training_of("glow") == EXPERIMENT.training.model_copy(update=changed)
    assert experiment.training_of("vae") == EXPERIMENT.training
    assert resolved(experiment, "glow", written(tmp_path)).dequantise is False


def test_too_few_images_are_said_before_training(tmp_path, monkeypatch):
    """Seventy training images and batches of 128: one line that names the parameter, and nothing is written."""
    prepared(tmp_path / "data/demo")
    text = Path("params.yaml").read_text().replace("batch_size: 32", "batch_size: 128")
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"experiments\.demo\.training\.batch_size: .*70"):
        run("demo", "fvae", 0)
    assert not (tmp_path / "results").exists()


@pytest.fixture
def fingerprints(tmp_path, monkeypatch):
    """A function that starts a training, and returns the fingerprint by which its states are known."""
    monkeypatch.setattr("fvae.commands.train.check_counts", lambda *_: None)
    monkeypatch.setattr("fvae.commands.train.validator", lambda *_, **__: None)
    found = []

    def train(*_, fingerprint, begin, **__):
        found.append(fingerprint)
        begin()

    monkeypatch.setattr("fvae.training.loop.train", train)
    (tmp_path / "params.yaml").write_text(Path("params.yaml").read_text())
    prepared(tmp_path / "data/demo")
    monkeypatch.chdir(tmp_path)

    def start():
        run("demo", "fvae", 0)
        return found[-1]

    return start


def test_a_state_of_the_same_training_is_known(fingerprints):
    assert fingerprints() == fingerprints()


def test_a_state_of_another_split_of_the_same_pixels_is_another_trainings(fingerprints):
    before = fingerprints()
    prepared(Path("data/demo"), train=60, validation=50)
    assert fingerprints() != before


def test_a_state_whose_validations_measure_swd_otherwise_is_another_trainings(fingerprints):
    before = fingerprints()
    params = Path("params.yaml")
    params.write_text(params.read_text().replace("patches: 32", "patches: 16"))
    assert fingerprints() != before


@pytest.fixture
def earlier():
    """What an earlier training left, within the folder of a test."""
    folder = Path("results/demo/runs/fvae/seed-0")
    folder.mkdir(parents=True)
    for name in ("model.json", "weights.safetensors", "training.json", "history.csv"):
        (folder / name).write_text("of an earlier training")
    return lambda: {file.name: file.read_text() for file in folder.iterdir() if not file.name.startswith(".")}


def test_a_training_that_begins_has_its_own_section_beside_it(fingerprints, earlier):
    fingerprints()
    assert "of an earlier training" not in earlier()["model.json"]


def test_a_training_that_is_refused_leaves_the_files_of_an_earlier_one(tmp_path, monkeypatch, request):
    text = Path("params.yaml").read_text().replace("batch_size: 32", "batch_size: 1")
    (tmp_path / "params.yaml").write_text(text)
    prepared(tmp_path / "data/demo")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fvae.commands.train.check_counts", lambda *_: None)
    before = (left := request.getfixturevalue("earlier"))()
    with pytest.raises(UserError, match="batch_size: 1 leaves one image"):
        run("demo", "fvae", 0)
    assert left() == before
