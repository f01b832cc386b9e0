"""params.yaml: what it says is checked, and an error is one line that names the place."""

import copy
from pathlib import Path

import pytest
import yaml

from fvae.errors import UserError
from fvae.params import load

PARAMS = yaml.safe_load(Path("params.yaml").read_text())


def changed(tmp_path, path, value):
    params = copy.deepcopy(PARAMS)
    *parents, name = path.split(".")
    section = params
    for parent in parents:
        section = section[parent]
    if value is None:
        del section[name]
    else:
        section[name] = value
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(params, sort_keys=False))
    return file


def test_the_projects_own_parameters_are_valid():
    params = load("params.yaml")
    assert params.build == ("demo",)
    assert set(params.experiments) == {"demo", "family", "lfw64", "celeba64", "celeba128"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("build", ["cats"], "build: no experiment 'cats'; params.yaml has demo"),
        ("builds", ["demo"], "builds: unknown; allowed here: build, inception, experiments"),
        ("experiments.demo.seeds", None, "experiments.demo.seeds: missing"),
        ("experiments.demo.seeds", [], "experiments.demo.seeds: "),
        ("experiments.demo.data.kind", "drawings", "experiments.demo.data"),
        ("experiments.demo.data.size", "big", "experiments.demo.data.size: must be a valid integer"),
        ("experiments.demo.data.sizes", 3, "experiments.demo.data.sizes: unknown; allowed here: kind, size"),
        ("experiments.demo.models.glow.flow.width", -3, "experiments.demo.models.glow.flow.width: "),
        ("experiments.demo.models.fvae.flow.width", "match", "experiments.demo.match.model: the model that others"),
        (
            "experiments.demo.models.glow.flow.steps",
            "match",
            "experiments.demo.models.glow: only one size of a model can be 'match', not flow.steps and flow.width",
        ),
        ("experiments.demo.models.vae.encoder.latent", "none", "experiments.demo.models.vae.encoder.latent: "),
        ("experiments.demo.sampling.batch_norm", "mixed", "experiments.demo.sampling.batch_norm: must be 'running'"),
        ("experiments.demo.match.model", "glow", "experiments.demo.match.model: the model that others match"),
        ("experiments.demo.training.ema", 1.0, "experiments.demo.training.ema: must be less than 1"),
        ("experiments.demo.evaluation.fid.mode", "maybe", "experiments.demo.evaluation.fid.mode: must be 'optional'"),
        ("experiments.lfw64.data.filter", "sinc", "experiments.lfw64.data.filter: must be 'lanczos', 'area'"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_place(tmp_path, path, value, message):
    with pytest.raises(UserError) as error:
        load(changed(tmp_path, path, value))
    assert f"params.yaml: {message}" in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_missing_or_not_yaml(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        load(tmp_path / "none.yaml")
    file = tmp_path / "params.yaml"
    file.write_text("build: [demo\nexperiments: {")
    with pytest.raises(UserError, match="not YAML") as error:
        load(file)
    assert "\n" not in str(error.value)
