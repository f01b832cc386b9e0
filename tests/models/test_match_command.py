"""The match command: model.json holds what tables and trainings read."""

import json

import pytest

from fvae import layout
from fvae.commands.match import run
from fvae.errors import UserError
from fvae.models.build import describe
from fvae.models.match import resolve_one
from fvae.params import load
from fvae.results import read_matched

PARAMS = load("params.yaml")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fvae.commands.arguments.load", lambda: PARAMS)


@pytest.mark.parametrize("model", ["vae", "glow"])
def test_it_holds_the_resolved_section_and_the_size(model):
    run("demo", model)
    experiment = PARAMS.experiments["demo"]
    spec = resolve_one(experiment, model)
    size = describe(spec, experiment.data.size)
    assert json.loads(layout.model("demo", model).read_text()) == {
        "spec": spec.model_dump(mode="json"),
        "size": json.loads(json.dumps(size)),
    }
    assert read_matched("demo", model) == (spec, size)


def test_a_model_that_the_experiment_does_not_have_is_one_line():
    with pytest.raises(UserError, match=r"--model: 'gan' is not one of vae_dense, vae, glow, fvae"):
        run("demo", "gan")
    assert not layout.runs("demo").exists()
