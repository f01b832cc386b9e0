"""Files that commands read from each other: whatever is wrong with one, one line says what to do."""

import errno
import fcntl
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from measurements import floor, metrics, write_matched, write_metrics, write_samples, write_training

from fvae import layout, params
from fvae.commands.evaluate import run as evaluate
from fvae.commands.summary import numbers
from fvae.data.dataset import load as load_images
from fvae.data.prepare import prepare_portraits
from fvae.errors import UserError
from fvae.evaluation import METRICS
from fvae.evaluation.reference import load as load_reference
from fvae.files import lock_folder, read_array, read_arrays, read_json, write_array, write_arrays, write_json
from fvae.models.build import read_spec
from fvae.paper import article, make_figure, make_table
from fvae.paper.claims import write as decide
from fvae.params import Portraits
from fvae.provenance import provenance
from fvae.results import read_cost, read_history, read_matched, read_metric

EXPERIMENT = params.load("params.yaml").experiments["demo"]
RUN = layout.Run("demo", "fvae", 0)
CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with all that was measured of an experiment."""
    monkeypatch.chdir(tmp_path)
    write_matched("demo", EXPERIMENT)
    for model in EXPERIMENT.models:
        run = layout.Run("demo", model, 0)
        write_metrics(run, exact=model == "glow")
        write_training(run)
    write_json(layout.floor("demo"), floor())
    write_samples(RUN, EXPERIMENT)
    return tmp_path


def message(read):
    """The one line that reading raises."""
    with pytest.raises(UserError) as error:
        read()
    assert "\n" not in str(error.value)
    return str(error.value)


JSON_DAMAGES = ["", "   \n", "{", "[]", "{}", "null", '"text"', CONFLICT, "\x00\x01", '{"spec": {"kind": "gan"}}']
READ_JSON = {
    **{name: (RUN.metric(name), f"evaluate {name}", lambda name=name: read_metric(RUN, name)) for name in METRICS},
    "training": (RUN.training, "train", lambda: read_cost(RUN)),
    "model": (layout.model("demo", "fvae"), "match", lambda: read_matched("demo", "fvae")),
    "claims": (layout.claims("demo", "json"), "claims", lambda: article.parts("demo", EXPERIMENT)["claims"]),
    "spec": (RUN.model_spec, "train", lambda: read_spec(RUN.model_spec)),
}


@pytest.mark.parametrize("damage", JSON_DAMAGES)
@pytest.mark.parametrize("name", READ_JSON)
def test_a_damaged_json_file_is_one_line(folder, monkeypatch, name, damage):
    monkeypatch.setattr("fvae.paper.article.TABLES", ())
    path, command, read = READ_JSON[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(damage)
    if name == "claims" and damage == "[]":
        assert read() == []
        return
    said = message(read)
    assert said.startswith(f"{path}: ")
    assert f"make it again: python -m fvae {command}" in said
    assert ("conflict" in said) == (damage == CONFLICT)


@pytest.mark.parametrize("name", METRICS)
def test_a_number_that_is_text_is_one_line(folder, name):
    value = metrics()[name]
    key = {
        "bpd": "bpd",
        "swd": "mean",
        "fid": "fid",
        "special_case": "nats",
        "temperature": "images",
        "sources": "images",
        "grain": "images",
        "interpolation": "real",
        "portrait_distance": "portrait_distance",
        "random_features": "frechet",
    }.get(name, "high_frequency_db")
    RUN.metric(name).write_text(json.dumps(value | {key: "many"}))
    assert f"evaluate {name}" in message(lambda: read_metric(RUN, name))


def test_metrics_of_the_expected_form_are_read_as_they_are(folder):
    for name, value in metrics().items():
        assert read_metric(RUN, name) == value


@pytest.mark.parametrize(
    "damage",
    ["", "epoch,images\n1,2\n", "epoch,images,seconds,bpd,swd\n", "a\nb,c\n", "\x00", CONFLICT, "one\n" * 3],
)
def test_a_damaged_history_is_one_line(folder, damage):
    RUN.history.write_text(damage)
    assert re.match(
        r"results/.*history\.csv: .*; make it again: python -m fvae train", message(lambda: read_history(RUN))
    )


def test_a_history_with_text_in_place_of_a_number_is_one_line(folder):
    table = pd.read_csv(RUN.history).astype(object)
    table.loc[1, "swd"] = "?"
    table.to_csv(RUN.history, index=False)
    assert "column 'swd' does not hold numbers" in message(lambda: read_history(RUN))


def damaged_arrays():
    """Contents of .npy files by what is wrong with them."""
    path = Path("whole.npy")
    np.save(path, np.zeros((4, 3, 8, 8), np.uint8))
    whole = path.read_bytes()
    path.unlink()
    found = {"empty": b"", "cut off": whole[:-10], "cut in the header": whole[:40], "text": b"<<<<<<< HEAD\n"}
    found |= {f"wrong byte {place}": whole[:place] + b"\xff" + whole[place + 1 :] for place in range(0, 90, 3)}
    found |= {f"missing byte {place}": whole[:place] + whole[place + 1 :] for place in range(0, 90, 3)}
    return found


def test_a_damaged_array_is_one_line_or_the_array(tmp_path, monkeypatch):
    """A byte of padding in the header may be wrong without harm; no damage is a traceback."""
    monkeypatch.chdir(tmp_path)
    messages = []
    for damage, content in damaged_arrays().items():
        Path("random.npy").write_bytes(content)
        try:
            assert read_array(Path("random.npy"), "sample random", dims=4).shape == (4, 3, 8, 8), damage
        except UserError as error:
            messages.append(str(error))
    assert len(messages) > 40
    for said in messages:
        assert re.match(r"random\.npy: .*; make it again: python -m fvae sample random$", said)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 3, 8), np.uint8),
        np.zeros((4, 3, 8, 8), np.float32),
        np.zeros((0, 3, 8, 8), np.uint8),
        np.array("text"),
        np.array([{}], dtype=object),
    ],
)
def test_an_array_of_another_form_is_one_line(tmp_path, array):
    np.save(tmp_path / "random.npy", array)
    said = message(lambda: read_array(tmp_path / "random.npy", "sample random", dims=4))
    assert "make it again: python -m fvae sample random" in said


@pytest.mark.parametrize("damage", ["empty", "text", "cut off", "another form", "other shapes", "an npy file"])
def test_a_damaged_reference_is_one_line(tmp_path, damage):
    path = tmp_path / "demo" / "reference.npz"
    eye = np.eye(4)
    parts = {"mean": eye[0], "covariance": eye, "root": eye, "features": np.zeros((9, 4)), "images": 9}
    if damage == "other shapes":
        parts["root"] = np.eye(5)
    elif damage == "another form":
        del parts["root"]
    write_arrays(path, digest="abc", **parts)
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text(CONFLICT)
    elif damage == "cut off":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "an npy file":
        path.unlink()
        write_array(path, eye)
    said = message(lambda: load_reference(path, "abc"))
    assert re.search(r"reference\.npz: .*; make it again: python -m fvae reference --experiment demo$", said)


def test_arrays_are_read_as_they_were_written(tmp_path):
    write_arrays(tmp_path / "a.npz", numbers=np.arange(3), reason="none")
    found = read_arrays(tmp_path / "a.npz", "reference")
    assert found["numbers"].tolist() == [0, 1, 2]
    assert str(found["reason"]) == "none"


@pytest.mark.parametrize("file", ["images.npy", "index.csv", "manifest.json"])
@pytest.mark.parametrize("damage", ["", CONFLICT, "[]", "{}", "split\n", "\x93NUMPY"])
def test_a_damaged_prepared_set_is_one_line(tmp_path, file, damage):
    settings = Portraits(kind="portraits", size=16, bits=8, train=4, validation=2, test=2, seed=0)
    prepare_portraits(settings, tmp_path / "faces")
    (tmp_path / "faces" / file).write_text(damage, encoding="latin-1")
    said = message(lambda: load_images(tmp_path / "faces"))
    assert "again: python -m fvae prepare --experiment faces" in said
    assert file in said


def test_a_prepared_set_without_a_split_is_one_line(tmp_path):
    settings = Portraits(kind="portraits", size=16, bits=8, train=4, validation=2, test=2, seed=0)
    prepare_portraits(settings, tmp_path / "faces")
    index = tmp_path / "faces" / "index.csv"
    index.write_text(index.read_text().replace("test", "train"))
    assert "no image in the split 'test'" in message(lambda: load_images(tmp_path / "faces").split("test"))


READERS = {
    "table metrics": ("bpd", lambda: make_table("metrics", "demo", EXPERIMENT)),
    "table fidelity": ("fid", lambda: make_table("fidelity", "demo", EXPERIMENT)),
    "table random features": ("random_features", lambda: make_table("random_features", "demo", EXPERIMENT)),
    "figure spectra": ("sharpness", lambda: make_figure("spectra", "demo", EXPERIMENT)),
    "figure temperature": ("temperature", lambda: make_figure("temperature", "demo", EXPERIMENT)),
    "claims": ("special_case", lambda: decide("demo", EXPERIMENT)),
    "summary": ("swd", lambda: numbers("demo", EXPERIMENT, "fvae")),
}


@pytest.mark.parametrize("reader", READERS)
def test_whoever_reads_a_damaged_metric_says_which(folder, reader):
    metric, make = READERS[reader]
    for model in EXPERIMENT.models:
        layout.Run("demo", model, 0).metric(metric).write_text(CONFLICT)
    assert f"{metric}.json: damaged (Git's conflict markers are in it); make it again" in message(make)


@pytest.mark.parametrize("reader", ["sizes", "structures", "comparison"])
def test_without_model_json_the_command_is_named(folder, reader):
    settings = Portraits(kind="portraits", size=32, bits=8, train=4, validation=2, test=60, seed=0)
    prepare_portraits(settings, layout.data("demo"))
    for model in EXPERIMENT.models:
        write_samples(layout.Run("demo", model, 0), EXPERIMENT)
        layout.model("demo", model).unlink()
    make = make_table if reader == "sizes" else make_figure
    assert "model.json: missing; make it first: python -m fvae match" in message(
        lambda: make(reader, "demo", EXPERIMENT)
    )


def test_evaluate_reads_samples_and_status_in_the_same_way(folder, monkeypatch):
    monkeypatch.setattr("fvae.commands.arguments.load", lambda: params.load(Path(__file__).parents[1] / "params.yaml"))
    settings = Portraits(kind="portraits", size=32, bits=8, train=4, validation=2, test=4, seed=0)
    prepare_portraits(settings, layout.data("demo"))
    RUN.samples("random").write_bytes(b"")
    assert "random.npy: damaged" in message(lambda: evaluate("demo", "fvae", ["swd"], 0))
    write_samples(RUN, EXPERIMENT)
    write_arrays(layout.reference("demo"), reason="none")
    layout.INCEPTION_STATUS.parent.mkdir(parents=True)
    layout.INCEPTION_STATUS.write_text("{}")
    said = message(lambda: evaluate("demo", "fvae", ["fid"], 0))
    assert re.search(r"status\.json: not of the expected form \(path: .*make it again: python -m fvae inception", said)


@pytest.mark.parametrize("table", ["", CONFLICT, "text\n", "| a | b |\n", "| a | b |\n|--|--|\n| 1 |\n"])
def test_a_damaged_table_is_one_line(folder, table):
    path = layout.table("demo", "sizes", "md")
    path.parent.mkdir(parents=True)
    path.write_text(table)
    assert re.match(
        r".*sizes\.md: .*; make it again: python -m fvae table sizes --experiment demo",
        message(lambda: article.markdown("demo", "sizes")),
    )


def test_a_folder_in_place_of_a_file_is_one_line(folder):
    RUN.training.unlink()
    RUN.training.mkdir()
    said = message(lambda: provenance("demo", EXPERIMENT, [RUN]))
    assert said.endswith(
        "training.json: cannot be read (Is a directory); "
        "make it again: python -m fvae train --experiment demo --model fvae --seed 0"
    )


def test_json_that_is_written_has_no_nan(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": [float("nan"), 1.5], "b": float("inf"), "c": (1, "x", None)})
    assert json.loads(path.read_text()) == {"a": [None, 1.5], "b": None, "c": [1, "x", None]}
    path.write_text('{"a": NaN}')
    assert read_json(path, "none") == {"a": None}


def test_a_file_system_without_locks_is_one_line(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(UserError, match=r"\.lock: the file system refuses locks \(No locks available\)$"):
        lock_folder(tmp_path)
