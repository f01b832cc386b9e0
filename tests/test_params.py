"""params.yaml: what it says is merged and checked, and an error is one line that names the place the user wrote."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fvae.errors import UserError
from fvae.params import load

TEXT = Path("params.yaml").read_text()  # experiments are its last section: others can be appended
PARAMS = yaml.safe_load(TEXT)


def changed(tmp_path, path, value):
    """A copy of params.yaml with one value written or, for None, removed."""
    params = copy.deepcopy(PARAMS)
    *parents, name = path.split(".")
    section = params
    for parent in parents:
        section = section.setdefault(parent, {})
    if value is None:
        del section[name]
    else:
        section[name] = value
    return written(tmp_path, yaml.safe_dump(params, sort_keys=False))


def written(tmp_path, text):
    file = tmp_path / "params.yaml"
    file.write_text(text)
    return file


def error_of(file):
    """The one line of a file's error, without the path before the file's name."""
    with pytest.raises(UserError) as error:
        load(file)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{file.parent}/")


def line_of(file, text):
    """The number of the only line that holds a text."""
    (number,) = (number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)
    return number


def test_the_projects_own_parameters_are_valid():
    params = load("params.yaml")
    assert params.build == ("demo",)
    assert list(params.experiments) == ["demo", "family", "lfw64", "celeba64", "celeba128"]


def test_the_file_is_short():
    assert len(TEXT.splitlines()) < 170


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("build", ["cats"], "build: no experiment 'cats'; params.yaml has demo"),
        ("builds", ["demo"], "builds: unknown; allowed here: build, inception, experiments, defaults"),
        ("experiments.demo.colour", 1, "experiments.demo.colour: unknown; allowed here: data, seeds, match, models"),
        ("experiments.demo.data", None, "experiments.demo.data: missing"),
        ("defaults.seeds", None, "experiments.demo.seeds: missing"),
        ("defaults.training.ema", None, "experiments.demo.training.ema: missing"),
        ("experiments.demo.seeds", [], "experiments.demo.seeds: "),
        ("experiments.demo.data.kind", "drawings", "experiments.demo.data"),
        ("experiments.demo.data.size", "big", "experiments.demo.data.size: must be a valid integer"),
        ("experiments.demo.data.sizes", 3, "experiments.demo.data.sizes: unknown; allowed here: kind, size"),
        ("experiments.demo.models.glow.flow.width", -3, "experiments.demo.models.glow.flow.width: "),
        ("experiments.demo.models.glow.learning_rate", -3, "experiments.demo.models.glow.learning_rate: must be gre"),
        ("experiments.demo.models.fvae.flow.width", "match", "experiments.demo.match.model: the model that others"),
        (
            "experiments.demo.models.glow.flow.steps",
            "match",
            "experiments.demo.models.glow: only one size of a model can be 'match', not flow.steps and flow.width",
        ),
        ("experiments.demo.models.vae.encoder.latent", "none", "experiments.demo.models.vae.encoder.latent: "),
        ("experiments.demo.sampling.batch_norm", "mixed", "experiments.demo.sampling.batch_norm: must be 'running'"),
        ("experiments.demo.match.model", "glow", "experiments.demo.match.model: the model that others match"),
        ("experiments.demo.figures.model", "gan", "experiments.demo.figures.model: gan is not one of the models: vae"),
        ("experiments.demo.training.ema", 1.0, "experiments.demo.training.ema: must be less than 1"),
        ("experiments.demo.training.epochs", 0, "experiments.demo.training.epochs: must be greater than 0, not 0"),
        ("experiments.demo.training.epoch", 3, "experiments.demo.training.epoch: unknown; allowed here: epochs, batch"),
        ("experiments.demo.evaluation.fid.mode", "maybe", "experiments.demo.evaluation.fid.mode: must be 'optional'"),
        ("experiments.lfw64.data.filter", "sinc", "experiments.lfw64.data.filter: must be 'lanczos', 'area'"),
        ("experiments.demo.training", 3, "experiments.demo.training: must be a mapping of names to values, not 3"),
        ("experiments.demo", 3, "experiments.demo: must be a mapping of names to values"),
        ("experiments", [], "experiments: must be a mapping of names to values"),
        ("defaults", 3, "defaults: must be a mapping of names to values"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_place(tmp_path, path, value, message):
    said = error_of(changed(tmp_path, path, value))
    assert re.match(rf"params\.yaml:\d+: {re.escape(message)}", said), said


def test_files_that_are_missing_or_not_yaml(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        load(tmp_path / "none.yaml")
    assert "not YAML" in error_of(written(tmp_path, "build: [demo\nexperiments: {"))
    assert error_of(written(tmp_path, "")) == "params.yaml:1: the file: must be a mapping of names to values, not None"


def test_an_experiment_inherits_key_by_key_along_a_chain(tmp_path):
    file = written(
        tmp_path,
        TEXT
        + "  own: {extends: middle, seeds: [3, 4], training: {ema: 0.5}}\n"
        + "  middle: {extends: demo, training: {epochs: 9, ema: 0.7}, models: {glow: {flow: {steps: 2}}}}\n",
    )
    params = load(file)
    demo, own = params.experiment("demo").model_dump(), params.experiment("own").model_dump()
    assert own["seeds"] == (3, 4)
    assert own["training"] == demo["training"] | {"epochs": 9, "ema": 0.5}
    assert own["models"]["glow"] == demo["models"]["glow"] | {"flow": demo["models"]["glow"]["flow"] | {"steps": 2}}
    assert list(own["models"]) == ["vae", "glow", "fvae"]
    for section in ("data", "match", "sampling", "evaluation", "figures"):
        assert own[section] == demo[section]


def test_a_section_of_another_kind_replaces_the_inherited_one(tmp_path):
    vae = "{kind: vae, learning_rate: 1.0e-3, init: data, encoder: {levels: 1, steps: 1, expansion: 1.0, latent: full}}"
    file = written(tmp_path, TEXT + f"  own:\n    extends: demo\n    models: {{glow: {vae}}}\n")
    assert load(file).experiment("own").models["glow"].kind == "vae"
    file = written(tmp_path, TEXT + "  own:\n    extends: demo\n    data: {kind: images, size: 64}\n")
    line = line_of(file, "kind: images, size")
    assert error_of(file) == f"params.yaml:{line}: experiments.own.data.path: missing"


def test_null_removes_an_inherited_model(tmp_path):
    file = written(tmp_path, TEXT + "  own: {extends: demo, models: {glow: null}}\n  more: {extends: own}\n")
    assert list(load(file).experiment("own").models) == ["vae", "fvae"]
    assert list(load(file).experiment("more").models) == ["vae", "fvae"]
    file = written(tmp_path, TEXT + "  own:\n    extends: demo\n    models:\n      gan: null\n")
    assert error_of(file) == (
        f"params.yaml:{line_of(file, 'gan: null')}: experiments.own.models.gan: "
        "null removes an inherited model, and no model of that name is inherited"
    )


@pytest.mark.parametrize(
    ("experiments", "message"),
    [
        ("  own: {extends: demos}\n", "experiments.own.extends: no experiment 'demos'; params.yaml has demo, family,"),
        ("  own: {extends: [demo]}\n", "experiments.own.extends: no experiment '['demo']'; params.yaml has demo"),
        ("  own: {extends: own}\n", "experiments.own.extends: an experiment cannot extend itself: own extends own"),
        (
            "  a: {extends: b}\n  b: {extends: c}\n  c: {extends: b}\n",
            "experiments.c.extends: an experiment cannot extend itself: b extends c extends b",
        ),
    ],
)
def test_what_an_experiment_cannot_extend(tmp_path, experiments, message):
    said = error_of(written(tmp_path, TEXT + experiments))
    assert re.match(rf"params\.yaml:\d+: {re.escape(message)}", said), said


def test_an_error_names_the_line_that_the_user_wrote(tmp_path):
    file = written(tmp_path, TEXT.replace("training: {epochs: 4}", "training: {epochs: 0}"))
    place = f"params.yaml:{line_of(file, 'training: {epochs: 0}')}: experiments.family.training.epochs"
    assert error_of(file) == f"{place}: must be greater than 0, not 0"
    file = written(tmp_path, TEXT.replace("clip_norm: 10.0", "clip_norm: -1.0"))
    place = f"params.yaml:{line_of(file, 'clip_norm: -1.0')}: defaults.training.clip_norm"
    assert error_of(file) == f"{place}: must be greater than 0, not -1.0 (inherited by experiments.demo)"
    file = written(tmp_path, TEXT + "  own: {extends: demo, models: {fvae: null}}\n")
    line = line_of(file, "    match: {quantity: parameters")
    place = f"params.yaml:{line}: experiments.demo.match.model"
    assert error_of(file) == f"{place}: fvae is not one of the models: vae, glow (inherited by experiments.own)"


def test_the_command_params_prints_what_an_experiment_inherits(tmp_path):
    root = Path.cwd()
    command = [sys.executable, "-m", "fvae", "params", "--experiment"]
    for name, experiment in load().experiments.items():
        done = subprocess.run([*command, name], cwd=root, capture_output=True, text=True, check=True)
        alone = {"build": [name], "inception": {"path": None}, "experiments": {name: yaml.safe_load(done.stdout)}}
        assert load(written(tmp_path, yaml.safe_dump(alone))).experiment(name) == experiment
    done = subprocess.run([*command, "cats"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("fvae: --experiment: no experiment 'cats'; params.yaml has demo")
