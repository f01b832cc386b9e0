"""A small project in which some models are trained, as the page sees it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from family import SPECS, perturbed

from fvae import layout
from fvae.data.portraits import draw
from fvae.explore.catalogue import Catalogue
from fvae.explore.server import create_app
from fvae.files import write_json, write_text
from fvae.models.build import build
from fvae.params import load
from fvae.training.checkpoint import copied_weights, save_weights
from fvae.training.live import Live

ROOT = Path(__file__).parents[2]
SIZE = 32  # of demo
TRAINED = ("vae_dense", "glow", "fvae")  # of demo's models; vae, fvae_reduced and fvae_conv are not
TRAIN, TEST = 60, 20
STEPS, BATCH = (250, 500, 750), 32


def write_data():
    """Drawn portraits, prepared."""
    folder = layout.data("demo")
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", draw(np.arange(TRAIN + TEST), SIZE, 0))
    rows = [f"{row},{'train' if row < TRAIN else 'test'}" for row in range(TRAIN + TEST)]
    write_text(folder / "index.csv", "\n".join(["row,split", *rows]) + "\n")
    splits = {"train": TRAIN, "test": TEST}
    write_json(folder / "manifest.json", {"images_sha256": "", "splits": splits, "mean": [0] * 3, "std": [1] * 3})


def write_run(name, images):
    """A run, its model perturbed in place of trained, with a live log of three sheets."""
    run, spec = layout.Run("demo", name, 0), SPECS[name]
    torch.manual_seed(0)
    save_weights(run.weights, copied_weights(perturbed(build(spec, SIZE), scale=0.02).float()))
    write_text(run.model_spec, spec.model_dump_json())
    write_json(run.training, {"seconds": 3.0, "peak_memory": 1, "device": "CPU"})
    live, rows = Live(run.folder, 0), ["images,seconds,bpd,swd"]
    for place, step in enumerate(STEPS):
        live.sheet(images[place : place + 36], step)
        rows.append(f"{step * BATCH},{place + 1.0},{7 - place},50.0")
    live.close()
    write_text(run.history, "\n".join(rows) + "\n")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explored")
    shutil.copy(ROOT / "params.yaml", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_data()
        images = np.load(layout.data("demo") / "images.npy")
        for name in TRAINED:
            write_run(name, images)
    return folder


@pytest.fixture(autouse=True)
def project(built, monkeypatch):
    """Each test runs in the project's folder, as the command does."""
    monkeypatch.chdir(built)
    return built


@pytest.fixture(scope="session")
def catalogue():
    """One for all tests: it loads each model once."""
    return Catalogue("demo", load(ROOT / "params.yaml").experiment("demo"))


@pytest.fixture(scope="session")
def app(catalogue):
    return create_app(catalogue)


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
