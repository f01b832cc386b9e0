"""From where fvae.load reads a model, and what it says where it cannot."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import fvae
from fvae import layout
from fvae.errors import UserError
from fvae.library.folder import save

RUN = layout.Run("demo", "fvae", 0)


@pytest.fixture
def copied(project, tmp_path):
    """A copy of the project, to be damaged."""
    shutil.copytree(project, tmp_path / "copy")
    return tmp_path / "copy"


def test_importing_fvae_imports_no_pytorch():
    code = "import sys, fvae; assert callable(fvae.load) and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


def test_a_run_is_loaded_from_any_folder(project, monkeypatch):
    monkeypatch.chdir(project / RUN.folder)
    trained = fvae.load(".", "cpu")
    assert trained.spec.kind == "fvae"
    assert (trained.image_size, trained.bits) == (32, 8)
    assert not trained.model.training


@pytest.mark.parametrize("within", [".", "results", "results/demo"])
def test_runs_may_be_left_out_of_a_path(project, monkeypatch, within):
    monkeypatch.chdir(project / within)
    short = (project / "results/demo/fvae/seed-0").relative_to(project / within)
    trained, expected = fvae.load(short, "cpu"), fvae.load(project / RUN.folder, "cpu")
    assert trained.spec == expected.spec
    assert np.array_equal(trained.sample(2), expected.sample(2))


def test_a_folder_that_exists_is_not_looked_up_elsewhere(copied):
    (copied / "results/demo/fvae/seed-0").mkdir(parents=True)
    with pytest.raises(UserError, match=r"demo/fvae/seed-0: there is no trained model"):
        fvae.load(copied / "results/demo/fvae/seed-0", "cpu")


def test_loading_leaves_the_global_generator_alone(project):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    fvae.load(project / RUN.folder, "cpu")
    assert torch.equal(torch.rand(3), expected)


def test_a_saved_model_is_the_same_elsewhere(trained, tmp_path):
    save(trained, tmp_path / "saved")
    found = fvae.load(tmp_path / "saved", "cpu")
    assert found.spec == trained.spec
    assert np.array_equal(found.sample(3, 0.9, seed=5), trained.sample(3, 0.9, seed=5))


def test_a_saved_model_keeps_its_bits(project, tmp_path):
    trained = fvae.load(project / RUN.folder, "cpu")
    trained.model.bits = 5
    save(fvae.library.TrainedModel(trained.model, trained.spec), tmp_path / "saved")
    found = fvae.load(tmp_path / "saved", "cpu")
    assert found.bits == found.model.bits == 5
    assert not (found.sample(2) % 8).any()


def test_a_run_of_other_images_is_told(copied):
    file = copied / "params.yaml"
    file.write_text(file.read_text().replace("{kind: portraits, size: 32,", "{kind: portraits, size: 64,"))
    with pytest.raises(UserError, match=r"seed-0: trained on images of another size than data.size in params.yaml, 64"):
        fvae.load(copied / RUN.folder, "cpu")


def test_what_is_missing_is_told(copied, tmp_path):
    with pytest.raises(UserError, match=r"nowhere: there is no trained model; train one \(`make` trains"):
        fvae.load(tmp_path / "nowhere")
    shutil.copytree(copied / RUN.folder, tmp_path / "alone")
    with pytest.raises(UserError, match=r"alone: not in a project, .* `python -m fvae export` makes a folder"):
        fvae.load(tmp_path / "alone")
    (copied / RUN.weights).unlink()
    with pytest.raises(UserError, match=r"weights.safetensors: missing; train the model first"):
        fvae.load(copied / RUN.folder)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "tpu"])
def test_a_device_that_is_not_there_is_told(project, device):
    with pytest.raises(UserError, match=f"device: '{device}' cannot be used here") as error:
        fvae.load(project / RUN.folder, device)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", ["weights", "no weights", "config", "another model"])
def test_a_damaged_folder_is_told(project, tmp_path, damage):
    save(fvae.load(project / RUN.folder, "cpu"), tmp_path)
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    if damage == "weights":
        weights.write_bytes(weights.read_bytes()[:100])
    elif damage == "no weights":
        weights.unlink()
    elif damage == "config":
        config.write_text(config.read_text()[:50])
    else:
        values = json.loads(config.read_text())
        values["spec"]["flow"]["width"] += 1
        config.write_text(json.dumps(values))
    named = "config.json: damaged" if damage == "config" else "model.safetensors: missing, damaged or not of config"
    with pytest.raises(UserError, match=named) as error:
        fvae.load(tmp_path)
    assert "\n" not in str(error.value)
