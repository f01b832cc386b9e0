"""Runs of small models, perturbed in place of trained, in a project of their own."""

import shutil
from pathlib import Path

import pytest
import torch
from family import SPECS, perturbed

import fvae
from fvae import layout
from fvae.files import write_json, write_text
from fvae.models.build import build, describe
from fvae.training.checkpoint import copied_weights, save_weights

ROOT = Path(__file__).parents[2]
SIZE = 32  # of demo
MODELS = ("vae_dense", "glow", "fvae")


def write_run(name):
    """A run of a model of the family in the current folder."""
    run, spec = layout.Run("demo", name, 0), SPECS[name]
    torch.manual_seed(0)
    save_weights(run.weights, copied_weights(perturbed(build(spec, SIZE), scale=0.05).float()))
    write_text(run.model_spec, spec.model_dump_json())
    write_json(layout.model("demo", name), {"spec": spec.model_dump(mode="json"), "size": describe(spec, SIZE)})


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A folder with the parameters and a run of each of MODELS, smaller than demo's."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copytree(ROOT / "experiments", folder / "experiments")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in MODELS:
            write_run(name)
    return folder


@pytest.fixture(params=MODELS)
def trained(request, project):
    return fvae.load(project / layout.Run("demo", request.param, 0).folder, "cpu")
