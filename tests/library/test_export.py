"""`python -m fvae export`: a folder as the Hub wants it, whose card says what was measured and whose code runs."""

import re
import shutil

import numpy as np
import program
import pytest
import yaml
from measurements import floor, write_json, write_metrics, write_training
from PIL import Image

import fvae
from fvae import layout
from fvae.files import sha256
from fvae.library.card import card
from fvae.params import load

RUN = layout.Run("demo", "fvae", 0)
COMMAND = "export --experiment demo --model fvae --to shared/fvae"


@pytest.fixture
def measured(project, tmp_path, monkeypatch):
    """A copy of the project in which the run of the f-VAE was trained and measured."""
    shutil.copytree(project, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    write_training(RUN)
    write_metrics(RUN, bpd={"bpd": 4.8012, "standard_error": 0.0123}, swd={"mean": 35.31, "standard_deviation": 0.42})
    write_json(layout.floor("demo"), floor())
    return tmp_path / "copy"


def exported(folder, *more):
    """The exported folder."""
    done = program.run(*COMMAND.split(), *more, folder=folder)
    assert done.returncode == 0, done.stderr
    assert 'fvae.load("shared/fvae")' in done.stdout
    return folder / "shared/fvae"


def python_blocks(text):
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


def test_an_exported_folder_has_all_that_the_hub_wants(measured):
    folder = exported(measured)
    assert {file.name for file in folder.iterdir()} == {"model.safetensors", "config.json", "README.md", "sheet.png"}
    assert sha256(folder / "model.safetensors") == sha256(RUN.weights)
    found, trained = fvae.load(folder, "cpu"), fvae.load(RUN.folder, "cpu")
    assert np.array_equal(found.sample(2, seed=1), trained.sample(2, seed=1))
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.size == (6 * 64 + 5 * 2, 6 * 64 + 5 * 2)
        corner = np.asarray(sheet)[:64:2, :64:2].transpose(2, 0, 1)
    assert np.array_equal(corner, trained.sample(36, load().experiment("demo").sampling.sheets.temperature, 0)[0])


def test_the_card_says_what_was_measured(measured):
    text = (exported(measured) / "README.md").read_text()
    metadata = yaml.safe_load(text.split("---\n")[1])
    assert metadata["license"] == "mit"
    assert metadata["library_name"] == "fvae"
    assert metadata["pipeline_tag"] == "unconditional-image-generation"
    assert "onnx" not in metadata["tags"]
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "≤ 4.801 ± 0.012" in rows["bits/dim ↓"]
    assert re.search(r"35\.3 ± 0\.4 .* 1\.5 ± 0\.1 .* 40 samples at T = 1", rows["SWD × 10³ ↓"])
    assert re.search(r"12\.0 ± 0\.5 .* 1\.2 ± 0\.1 .* 40 samples", rows["portrait distance ↓"])
    assert re.search(r"n/a .* no weights", rows["FID ↓"])
    assert "20.0" in rows["PSNR, dB ↑"]
    size = fvae.load(RUN.folder, "cpu").model
    assert f"{sum(weights.numel() for weights in size.parameters()):,}" in rows["parameters"]
    assert "in 1,000 seconds on a toaster" in text
    assert "32×32 pixels and of no other size" in text
    assert "MIT, code and weights" in text


def test_a_card_without_metrics_says_so(measured):
    shutil.rmtree(RUN.metric("bpd").parent)
    assert "Nothing was measured of this run." in (exported(measured) / "README.md").read_text()


def test_the_card_of_photographs_warns_of_their_licence(measured):
    experiment = load().experiment("lfw64")
    run = layout.Run("lfw64", "fvae", 0)
    write_training(run)
    text = card(run, experiment, fvae.load(RUN.folder, "cpu"), 0.8, onnx=False)
    metadata = yaml.safe_load(text.split("---\n")[1])
    assert (metadata["license"], metadata["license_name"]) == ("other", "that-of-the-images")
    assert "the licence of the images decides" in text
    assert experiment.data.path in text
    assert "MIT, code and weights" not in text


def test_the_code_of_the_card_runs(measured, monkeypatch):
    folder = exported(measured, "--onnx")
    text = (folder / "README.md").read_text()
    loading, without_pytorch = python_blocks(text)
    monkeypatch.chdir(folder)
    exec(loading.replace("hf://OWNER/NAME", "."), found := {})
    assert found["images"].shape == found["again"].shape == (16, 3, 32, 32)
    exec(without_pytorch, found)
    decoded = fvae.load(".", "cpu").decode(found["z"])
    assert np.abs(found["images"].astype(int) - decoded).max() <= 1
    assert "onnx" in yaml.safe_load(text.split("---\n")[1])["tags"]


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("a file in the way", "shared/fvae: a file is there; name another folder"),
        ("not trained", "model.json: missing; make it first: python -m fvae train"),
        ("damaged metric", "bpd.json: damaged"),
    ],
)
def test_what_cannot_be_exported_is_one_line(measured, trouble, message):
    if trouble == "a file in the way":
        (measured / "shared").mkdir()
        (measured / "shared/fvae").touch()
    elif trouble == "not trained":
        RUN.model_spec.unlink()
    else:
        RUN.metric("bpd").write_text("{")
    done = program.run(*COMMAND.split(), folder=measured)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (measured / "shared/fvae/README.md").exists()
