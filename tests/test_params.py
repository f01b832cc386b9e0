"""params.yaml: what it says is merged and checked, and an error is one line that names the place the user wrote."""

import copy
import re
from pathlib import Path

import program
import pytest
import torch
import yaml
from dvc.utils.serialize import parse_yaml

import fvae.paper.data
from fvae import layout
from fvae.errors import UserError
from fvae.evaluation import TASKS
from fvae.networks import encoder_and_decoder
from fvae.paper import FIGURES, TABLES
from fvae.params import check_counts, checks, load, source
from fvae.params.checks import PREFIXES_OF_RULES, RULES

TEXT = Path("params.yaml").read_text()  # experiments are its last section: others can be appended
PARAMS = yaml.safe_load(TEXT)
DEMO_TRAINING = next(line.strip() for line in TEXT.splitlines() if "training: {images: 40000," in line)


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
    assert list(params.experiments) == [
        *(
            *("demo", "study", "study_parameters", "family"),
            *("faces64", "lfw64", "celeba64", "celeba128", "celeba64_conv", "celeba64_authors"),
            *(
                "search",
                "search_conv",
                "search_conv_batch",
                "search_reduced",
                "search_glow",
                "search_faces64",
                "search_faces64_glow",
                "latents",
            ),
        )
    ]


def test_the_file_is_short():
    assert len(TEXT.splitlines()) < 170


BESIDE = [
    ("experiments: {more: {extends: demo}}\n", None),
    (
        "experiments: {more: {extends: cats}}\n",
        "1: experiments.more.extends: no experiment 'cats'; the experiments are",
    ),
    ("experiments:\n  demo: {extends: study}\n", "2: experiments.demo: stands twice, first in "),
    (
        "experiments:\n  more:\n    extends: demo\n    training: {ema: 2}\n",
        "4: experiments.more.training.ema: must be less than",
    ),
    ("build: [demo]\nexperiments: {}\n", "1: build: unknown; a file in this folder has only experiments"),
    ("", "1: the file: must be a mapping with experiments by name under `experiments`"),
    ("experiments: [demo]\n", "1: the file: must be a mapping with experiments by name under `experiments`"),
]


@pytest.mark.parametrize(("text", "message"), BESIDE)
def test_files_beside_it_hold_more_experiments(tmp_path, text, message):
    file = written(tmp_path, TEXT)
    beside = tmp_path / "experiments" / "own.yaml"
    beside.parent.mkdir()
    beside.write_text(text)
    if message is None:
        assert load(file).experiment("more") == load(file).experiment("demo")
    else:
        assert f"experiments/own.yaml:{message}" in error_of(file)


def test_what_an_inherited_value_in_another_file_breaks_is_told_there(tmp_path):
    file = changed(tmp_path, "defaults.training.ema", 2)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "own.yaml").write_text("experiments: {more: {extends: demo}}\n")
    assert error_of(file).startswith("params.yaml:")


def test_experiments_that_are_no_mapping_are_refused_beside_other_files_too(tmp_path):
    file = written(tmp_path, "build: [demo]\nexperiments: [demo]\n")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "own.yaml").write_text("experiments: {}\n")
    assert error_of(file) == "params.yaml:2: experiments: must be a mapping of names to values, not ['demo']"


def test_dvc_tracks_every_file():
    stages = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
    for stage in stages.values():
        assert [next(iter(each)) for each in stage["params"]] == list(map(str, source.files(Path("params.yaml"))))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("build", ["cats"], "build: no experiment 'cats'; the experiments are demo"),
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
        (
            "experiments.family.models.fvae_autoregressive.flow.kind",
            "cubic",
            "experiments.family.models.fvae_autoregressive.flow.kind: must be 'autoregressive', not 'cubic'",
        ),
        (
            "experiments.family.models.fvae_autoregressive.flow.levels",
            3,
            "experiments.family.models.fvae_autoregressive.flow.levels: unknown; allowed here: steps, width, kind",
        ),
        ("experiments.family.models.vae_planar.flow.steps", 0, "experiments.family.models.vae_planar.flow.steps: must"),
        ("experiments.demo.models.vae.encoder.latent", "none", "experiments.demo.models.vae.encoder.latent: "),
        ("experiments.demo.sampling.batch_norm", "mixed", "experiments.demo.sampling.batch_norm: must be 'stored'"),
        ("experiments.demo.match.model", "glow", "experiments.demo.match.model: the model that others match"),
        ("experiments.demo.figures.model", "gan", "experiments.demo.figures.model: gan is not one of the models: vae"),
        ("experiments.demo.training.ema", 1.0, "experiments.demo.training.ema: must be less than 1"),
        ("experiments.demo.training.images", 0, "experiments.demo.training.images: must be greater than 0, not 0"),
        ("experiments.demo.training.image", 3, "experiments.demo.training.image: unknown; allowed here: images, batch"),
        ("experiments.demo.evaluation.fid.mode", "maybe", "experiments.demo.evaluation.fid.mode: must be 'optional'"),
        (
            "experiments.demo.data",
            yaml.safe_load(Path("experiments/photographs.yaml").read_text())["experiments"]["faces64"]["data"]
            | {"filter": "sinc"},
            "experiments.demo.data.filter: must be 'lanczos', 'area'",
        ),
        ("experiments.demo.claims", {"glow": ["gan"]}, "experiments.demo.claims.glow: gan is not one of the models: "),
        ("experiments.demo.claims", {"vae": ["vae"] * 2}, "experiments.demo.claims.vae: vae stands twice"),
        ("experiments.demo.claims", {"vae": ["fvae"]}, "experiments.demo.claims.vae: fvae cannot be compared with it"),
        (
            "experiments.demo.claims",
            {"threshold": {"swd": 0.0}},
            "experiments.demo.claims.threshold.swd: must be great",
        ),
        ("experiments.demo.training", 3, "experiments.demo.training: must be a mapping of names to values, not 3"),
        ("experiments.demo", 3, "experiments.demo: must be a mapping of names to values"),
        ("experiments", [], "experiments: must be a mapping of names to values"),
        ("defaults", 3, "defaults: must be a mapping of names to values"),
        ("experiments.demo.seeds", 0, "experiments.demo.seeds: must be a list, such as [0, 1], not 0"),
        (
            "experiments.demo.models.glow.kind",
            "glow",
            "experiments.demo.models.glow: kind: 'glow' is not one of 'vae', 'fl",
        ),
    ],
)
def test_a_wrong_value_is_one_line_with_its_place(tmp_path, path, value, message):
    said = error_of(changed(tmp_path, path, value))
    assert re.match(rf"params\.yaml:\d+: {re.escape(message)}", said), said


def test_files_that_are_missing_or_not_yaml(tmp_path):
    with pytest.raises(UserError, match="missing; run this in the project's folder"):
        load(tmp_path / "none.yaml")
    assert error_of(written(tmp_path, "build: [demo\nexperiments: {")).startswith("params.yaml:2: not YAML: ")
    assert error_of(written(tmp_path, "")) == "params.yaml:1: the file: must be a mapping of names to values, not None"


def test_an_experiment_inherits_key_by_key_along_a_chain(tmp_path):
    file = written(
        tmp_path,
        TEXT
        + "  own: {extends: middle, seeds: [3, 4], training: {ema: 0.5}}\n"
        + "  middle: {extends: demo, training: {images: 9, cooldown_images: 9, ema: 0.7}, "
        + "models: {glow: {flow: {steps: 2}}}}\n",
    )
    params = load(file)
    demo, own = params.experiment("demo").model_dump(), params.experiment("own").model_dump()
    assert own["seeds"] == (3, 4)
    assert own["training"] == demo["training"] | {"images": 9, "cooldown_images": 9, "ema": 0.5}
    assert own["models"]["glow"] == demo["models"]["glow"] | {"flow": demo["models"]["glow"]["flow"] | {"steps": 2}}
    assert list(own["models"]) == ["vae_dense", "vae", "glow", "fvae", "fvae_reduced", "fvae_conv"]
    for section in ("data", "match", "sampling", "evaluation", "figures"):
        assert own[section] == demo[section]


def test_a_model_extends_another_of_its_experiment(tmp_path):
    """Also one that is inherited, or that extends a third."""
    small = "small: {extends: glow, learning_rate: 1.0e-3, flow: {steps: 2}}"
    equal = "equal: {extends: small, match: parameters}"
    models = load(written(tmp_path, TEXT + f"  own: {{extends: demo, models: {{{equal}, {small}}}}}\n")).experiments[
        "own"
    ]
    demo = load("params.yaml").experiments["demo"].models["glow"].model_dump()
    small = demo | {"learning_rate": 1.0e-3, "flow": demo["flow"] | {"steps": 2}}
    assert models.models["small"].model_dump() == small
    assert models.models["equal"].model_dump() == small | {"match": "parameters"}


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            "a: {extends: gan}",
            "experiments.own.models.a.extends: no model 'gan'; the experiment has vae_dense, vae, glow",
        ),
        (
            "a: {extends: b}, b: {extends: a}",
            "experiments.own.models.b.extends: a model cannot extend itself: a extends b",
        ),
        (
            "a: {extends: glow, match: flops}",
            "experiments.own.models.a.match: must be 'parameters' or 'macs', not 'flops'",
        ),
        (
            "a: {extends: vae, encoder: {networks: unet}}",
            "experiments.own.models.a.encoder: networks must be 'residual'",
        ),
        ("a: {extends: vae_dense, encoder: {channels: [20]}}", "experiments.own.models.a.encoder.channels.0: must be"),
    ],
)
def test_what_a_model_cannot_extend_or_be(tmp_path, models, message):
    said = error_of(written(tmp_path, TEXT + f"  own: {{extends: demo, models: {{{models}}}}}\n"))
    assert re.match(rf"params\.yaml:\d+: {re.escape(message)}", said), said


def test_other_networks_replace_the_inherited_ones(tmp_path):
    conv = "{networks: conv, channels: [8], blocks: 1, expansion: 1.0, latent: 4}"
    file = written(tmp_path, TEXT + f"  own: {{extends: demo, models: {{a: {{extends: vae, encoder: {conv}}}}}}}\n")
    encoder = load(file).experiments["own"].models["a"].encoder
    assert encoder.model_dump() == yaml.safe_load(conv) | {"channels": (8,), "block": "residual"}


def test_a_section_of_another_kind_replaces_the_inherited_one(tmp_path):
    vae = "{kind: vae, learning_rate: 1.0e-3, init: data, encoder: {levels: 1, steps: 1, expansion: 1.0, latent: full}}"
    file = written(tmp_path, TEXT + f"  own:\n    extends: demo\n    models: {{glow: {vae}}}\n")
    assert load(file).experiment("own").models["glow"].kind == "vae"
    file = written(tmp_path, TEXT + "  own:\n    extends: demo\n    data: {kind: images, size: 64}\n")
    line = line_of(file, "kind: images, size")
    assert error_of(file) == f"params.yaml:{line}: experiments.own.data.path: missing"


def test_null_removes_an_inherited_model(tmp_path):
    own = "  own: {extends: demo, models: {glow: null}, claims: {glow: []}}\n"
    file = written(tmp_path, TEXT + own + "  more: {extends: own}\n")
    assert list(load(file).experiment("own").models) == ["vae_dense", "vae", "fvae", "fvae_reduced", "fvae_conv"]
    assert list(load(file).experiment("more").models) == ["vae_dense", "vae", "fvae", "fvae_reduced", "fvae_conv"]
    file = written(tmp_path, TEXT + "  own:\n    extends: demo\n    models:\n      gan: null\n")
    assert error_of(file) == (
        f"params.yaml:{line_of(file, 'gan: null')}: experiments.own.models.gan: "
        "null removes an inherited model, and no model of that name is inherited"
    )


@pytest.mark.parametrize(
    ("experiments", "message"),
    [
        (
            "  own: {extends: demos}\n",
            "experiments.own.extends: no experiment 'demos'; the experiments are demo, study,",
        ),
        ("  own: {extends: [demo]}\n", "experiments.own.extends: no experiment '['demo']'; the experiments are demo"),
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


def test_an_autoregressive_flow_replaces_the_multi_scale_flow_that_is_inherited():
    flow = load("params.yaml").experiments["family"].models["fvae_autoregressive"].flow
    assert flow.model_dump() == {"kind": "autoregressive", "steps": 4, "width": 512}


def test_an_error_names_the_line_that_the_user_wrote(tmp_path):
    file = written(tmp_path, TEXT.replace(DEMO_TRAINING, "training: {images: 0}"))
    place = f"params.yaml:{line_of(file, 'training: {images: 0}')}: experiments.demo.training.images"
    assert error_of(file) == f"{place}: must be greater than 0, not 0"
    file = written(tmp_path, TEXT.replace("clip_norm: 10.0", "clip_norm: -1.0"))
    place = f"params.yaml:{line_of(file, 'clip_norm: -1.0')}: defaults.training.clip_norm"
    assert error_of(file) == f"{place}: must be greater than 0, not -1.0 (inherited by experiments.demo)"
    file = written(tmp_path, TEXT + "  own: {extends: demo, models: {fvae: null}}\n")
    line = line_of(file, "    match: {quantity: macs")
    place = f"params.yaml:{line}: experiments.demo.match.model"
    assert (
        error_of(file) == f"{place}: fvae is not one of the models: vae_dense, vae, glow, fvae_reduced, fvae_conv "
        "(inherited by experiments.own)"
    )


def test_the_command_params_prints_what_an_experiment_inherits(tmp_path):
    for name, experiment in load().experiments.items():
        done = program.run("params", "--experiment", name, folder=Path.cwd())
        assert done.returncode == 0, done.stderr
        alone = {"build": [name], "inception": {"path": None}, "experiments": {name: yaml.safe_load(done.stdout)}}
        assert load(written(tmp_path, yaml.safe_dump(alone))).experiment(name) == experiment
    done = program.run("params", "--experiment", "cats", folder=Path.cwd())
    assert done.returncode == 1
    assert done.stderr.startswith("fvae: --experiment: no experiment 'cats'; the experiments are demo")


SCALARS = """
    0 1 -1 10 12000 4294967295 +1 010 -010 00 -0 0o10 0O10 0x1F 0b11 1_000 1:30 190:20:30 5,000 1.2.3 ½ ١
    0.0 0.5 -0.5 .5 5. 010.5 1.0e-3 1e-3 1E5 1e+5 -1e-3 1.5e3 1_0.5 0.1_5 1e 1e1.5 0. -0.0 1.e3 .5e1
    .inf -.inf .Inf .INF .nan .NaN nan inf NaN infinity
    true false True False TRUE FALSE tRUE yes no Yes No on off On OFF y n Y N
    ~ null Null NULL nULL none None = << - --- ... 2020-01-01 2020-1-1 2020-01-01T10:00:00
    demo 32-true data/raw/celeba-hq hf://some/faces@main '010' 'true' "1e-3" "" ''
    !!int 3 !!str 010 !!str true !!float 1 !!int 010 !!binary aGk= !!set a !!omap b !own c
"""


def read_or_none(file):
    """What our reader makes of a file; None where it refuses the file in one line."""
    try:
        return source.read(file).plain()
    except UserError as error:
        return None if "\n" not in str(error) else str(error)


@pytest.mark.parametrize("scalar", re.findall(r"(?:!\S+ )?\S+", SCALARS))
def test_a_scalar_is_what_dvc_reads_or_refused(tmp_path, scalar):
    text = f"key: {scalar}\nnext: 1\n"
    file = written(tmp_path, text)
    ours = read_or_none(file)
    if ours is None:
        return
    assert repr(ours) == repr(parse_yaml(text, file))  # for 1, 1.0 and True are equal
    other = yaml.safe_load(text)["key"]  # a number that YAML 1.1, which other tools read, takes for another is refused
    if type(other) in (bool, int, float) and type(ours["key"]) in (bool, int, float):
        assert repr(ours["key"]) == repr(other)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [("0.5", 0.5), ("1e-3", 0.001), ("1.0e-3", 0.001), ("-1", -1), ("on", "on"), ("'010'", "010"), ("true", True)],
)
def test_plain_scalars_are_read(tmp_path, scalar, value):
    assert repr(source.read(written(tmp_path, f"key: {scalar}")).plain()["key"]) == repr(value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "test: 1000, seed: 0}",
            "test: 1000, seed: 010}",
            "data.seed: 010 is ambiguous; write a whole number in decima",
        ),
        ("test: 1000, seed: 0}", "test: 1000, seed: 0o10}", "data.seed: 0o10 is ambiguous"),
        ("test: 1000, seed: 0}", "test: 1_000, seed: 0}", "data.test: 1_000 is ambiguous"),
        ("test: 1000, seed: 0}", "test: 1000, seed: true}", "data.seed: must be a valid integer, not True"),
        ("test: 1000, seed: 0}", "test: 1000, seed: '1'}", "data.seed: must be a valid integer, not '1'"),
        ("test: 1000, seed: 0}", "test: 1e3, seed: 0}", "data.test: must be a valid integer, not 1000.0"),
        ("test: 1000, seed: 0}", "test: 1000, test: 1000, seed: 0}", "data.test: stands twice, first in line"),
        (DEMO_TRAINING, "training: {images: true}", "training.images: must be a valid integer, not True"),
        (
            DEMO_TRAINING,
            "training: {images: 60000, flip: on}",
            "training.flip: must be a valid boolean, not 'on'",
        ),
        (
            DEMO_TRAINING,
            "training: {images: 60000, flip: 1}",
            "training.flip: must be a valid boolean, not 1",
        ),
        (
            DEMO_TRAINING,
            "training: {images: 60000, ema: false}",
            "training.ema: must be a valid number, not False",
        ),
        (
            DEMO_TRAINING,
            "training: {images: 60000, ema: '0.5'}",
            "training.ema: must be a valid number, not '0.5'",
        ),
        (
            DEMO_TRAINING,
            "training: {images: 60000, clip_norm: .inf}",
            "training.clip_norm: .inf is no finite",
        ),
        (
            DEMO_TRAINING,
            "training: {images: 60000, clip_norm: .nan}",
            "training.clip_norm: .nan is no finite",
        ),
        (
            DEMO_TRAINING,
            "training: {images: 60000, clip_norm: 1e999}",
            "training.clip_norm: must be a finite numb",
        ),
        (
            DEMO_TRAINING,
            "training: &t {images: 5}",
            "training: &t: anchors and aliases are not read; use `ext",
        ),
        (DEMO_TRAINING, "training: {<<: {images: 5}}", "training: a name must be text, not <<"),
        (DEMO_TRAINING, "training: {1: 5}", "training: a name must be text, not 1"),
        (DEMO_TRAINING, "training: {[a]: 5}", "training: a name must be text, not a list"),
        (
            DEMO_TRAINING,
            "training: !!set {images}",
            "training: the tag tag:yaml.org,2002:set is not read",
        ),
        (
            DEMO_TRAINING,
            "training: !!python/tuple [1]",
            "training: the tag tag:yaml.org,2002:python/tuple",
        ),
        (
            DEMO_TRAINING,
            "training: 2020-01-01",
            "training: 2020-01-01 is read as a timestamp; put it in quot",
        ),
    ],
)
def test_what_readers_of_yaml_understand_differently_is_refused(tmp_path, old, new, message):
    said = error_of(written(tmp_path, TEXT.replace(old, new, 1)))
    assert re.match(rf"params\.yaml:\d+: experiments\.demo\.{re.escape(message)}", said), said


def test_a_section_that_stands_twice_is_refused(tmp_path):
    file = written(tmp_path, TEXT + "  demo: {extends: family}\n")
    message = f"experiments.demo: stands twice, first in line {line_of(file, '  demo: # drawn')}"
    assert error_of(file) == f"params.yaml:{line_of(file, 'demo: {extends')}: {message}"


def test_a_file_that_is_not_utf_8_is_one_line(tmp_path):
    file = tmp_path / "params.yaml"
    for encoding in ("latin-1", "utf-16"):
        file.write_bytes("# drawn\n# für Porträts\nbuild: [demo]\n".encode(encoding))
        assert "the text is not UTF-8; save the file as UTF-8" in error_of(file)
    file.write_bytes("# drawn\n# für Porträts\nbuild: [demo]\n".encode("latin-1"))
    assert error_of(file).startswith("params.yaml:2: ")
    file.write_bytes(b"build: \x00")
    assert "not YAML" in error_of(file)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("experiments.demo.seeds", [0, 0], "experiments.demo.seeds: 0 stands twice"),
        ("defaults.seeds", [1, 2, 1], "defaults.seeds: 1 stands twice (inherited by experiments.demo)"),
        ("build", ["demo", "family", "demo"], "build: demo stands twice"),
        (
            "experiments.demo.sampling.temperatures.temperatures",
            [0.0, 1, 1.0],
            "experiments.demo.sampling.temperatures.temperatures: 1.0 stands twice",
        ),
    ],
)
def test_lists_have_no_value_twice(tmp_path, path, value, message):
    said = error_of(changed(tmp_path, path, value))
    assert re.fullmatch(rf"params\.yaml:\d+: {re.escape(message)}", said), said


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "training.cooldown_images",
            40001,
            "training.cooldown_images: 40,001 is more than training.images, 40,000; the learning rate would never",
        ),
        ("data.train", 59, "data.train: 60 images are needed for the figure of the data, but the train split has 59"),
        ("data.test", 1, "data.test: 2 images are needed for a standard error, but the test split has 1"),
        (
            "training.batch_size",
            12001,
            "training.batch_size: 12,001 images are needed for a batch, but the train split",
        ),
        (
            "sampling.reconstructions.images",
            1001,
            "sampling.reconstructions.images: 1,001 images are needed for the rec",
        ),
        (
            "sampling.interpolation.pairs",
            501,
            "sampling.interpolation.pairs: 1,002 images are needed for interpolation between 501 pair",
        ),
        (
            "sampling.interpolation_four.sheets",
            251,
            "sampling.interpolation_four.sheets: 1,004 images are needed for interpolation among four ima",
        ),
        ("sampling.sheets.images", 1, "sampling.sheets.images: must be greater than or equal to 2, not 1"),
        ("sampling.random.images", 35, "figures.sheet: 6×6 samples are needed, but sampling.random.images is 35 (inh"),
        ("figures.sheet", [40, 40], "figures.sheet: 40×40 samples are needed, but sampling.random.images is 1,000"),
        (
            "evaluation.swd.images",
            1001,
            "evaluation.swd.images: 1,001 samples are needed, but sampling.random.images is",
        ),
        (
            "evaluation.portrait_distance.images",
            1001,
            "evaluation.portrait_distance.images: 1,001 samples are needed, but sampling.random.images is",
        ),
        (
            "evaluation.fid.images",
            1001,
            "evaluation.fid.images: 1,001 samples are needed, but sampling.random.images is",
        ),
        ("evaluation.fid.images", 1, "evaluation.fid.images: must be greater than or equal to 2, not 1"),
        ("evaluation.bpd.images", 1, "evaluation.bpd.images: must be greater than or equal to 2, not 1"),
    ],
)
def test_what_is_too_small_is_said_before_training(tmp_path, path, value, message):
    said = error_of(changed(tmp_path, f"experiments.demo.{path}", value))
    assert re.match(rf"params\.yaml:\d+: (experiments\.demo|defaults)\.{re.escape(message)}", said), said


def test_a_sheet_larger_than_the_test_split_is_said(tmp_path):
    file = written(tmp_path, TEXT.replace("test: 1000, seed: 0}", "test: 35, seed: 0}", 1))
    assert "defaults.figures.sheet: 36 images are needed for a sheet of 6×6, but the test split has 35" in error_of(
        file
    )


ENOUGH = {"train": 12000, "validation": 600, "test": 660}


@pytest.mark.parametrize(
    ("split", "count", "message"),
    [
        ("train", 59, "data: 60 images are needed for the figure of the data, but the train split has 59"),
        ("validation", 0, "data: 1 image is needed for the choice of the best weights, but the validation split has 0"),
        ("test", 1, "data: 2 images are needed for a standard error, but the test split has 1"),
        (
            "test",
            11,
            "sampling.reconstructions.images: 12 images are needed for the reconstructions, but the test split",
        ),
        ("test", 35, "figures.sheet: 36 images are needed for a sheet of 6×6, but the test split has 35"),
    ],
)
def test_prepared_images_are_counted_against_the_parameters(split, count, message):
    experiment = load().experiment("lfw64")
    check_counts("lfw64", experiment, ENOUGH)
    with pytest.raises(UserError, match=re.escape(f"experiments.lfw64.{message}")):
        check_counts("lfw64", experiment, {**ENOUGH, split: count})


def test_a_split_without_images_may_be_left_out_of_the_counts():
    with pytest.raises(UserError, match="but the test split has 0"):
        check_counts("lfw64", load().experiment("lfw64"), {"train": 12000, "validation": 600})


def test_the_figure_of_the_data_shows_as_many_images_as_are_asked_for():
    assert fvae.paper.data.ROWS * fvae.paper.data.COLUMNS == checks.DATA_FIGURE_IMAGES


@pytest.mark.parametrize(
    ("levels", "batch_size", "devices", "refused"),
    [(4, 1, 1, True), (4, 2, 1, False), (4, 2, 2, True), (3, 1, 1, False), (4, 4, 2, False)],
)
def test_batch_norm_of_one_value_is_refused(tmp_path, levels, batch_size, devices, refused):
    training = f"training: {{batch_size: {batch_size}, devices: {devices}}}"
    models = f"{{fvae: {{encoder: {{levels: {levels}}}, flow: {{levels: 1}}}}}}"
    own = f"{{extends: demo, data: {{size: 16}}, {training}, models: {models}}}"
    file = written(tmp_path, TEXT + f"  own: {own}\n")
    encoder, _ = encoder_and_decoder((3, 16, 16), "residual", levels=levels, steps=1, expansion=0.01, latent="full")
    images = torch.zeros(batch_size // devices, 3, 16, 16)
    if refused:
        assert "experiments.own.training.batch_size: " in error_of(file)
        assert "gives BatchNorm one value per channel" in error_of(file)
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            encoder(images)
    else:
        load(file)
        encoder(images)


@pytest.mark.parametrize(
    ("change", "levels"),
    [
        ("glow: {flow: {levels: 6}}", "glow.flow.levels"),
        ("vae: {encoder: {levels: 6}}", "vae.encoder.levels"),
        ("fvae: {flow: {levels: 5}}", "fvae.flow.levels"),
    ],
)
def test_levels_that_do_not_fit_the_images_are_refused(tmp_path, change, levels):
    """An image of 32×32 can be halved five times: by a flow's levels, or by two of an encoder and three of a flow."""
    file = written(tmp_path, TEXT + f"  own: {{extends: demo, models: {{{change}}}}}\n")
    assert f"experiments.own.models.{levels}: images of 32×32 cannot be halved so often" in error_of(file)


def names_of_rules():
    """Names that rules have, and names in tables from which rules are made."""
    files = [Path("Snakefile"), *Path("workflow/rules").glob("*.smk")]
    for file in files:
        yield from re.findall(r"^\s*(?:rule|checkpoint) (\w+):", file.read_text(), re.MULTILINE)
        prefix = "evaluate_" if file.stem == "evaluate" else ""
        yield from (prefix + name for name in re.findall(r'^    "(\w+)": [\[(]', file.read_text(), re.MULTILINE))
    yield from (f"sample_{task}" for task in TASKS)


def test_only_rules_take_a_name_away():
    names = {*names_of_rules(), *FIGURES, *TABLES}
    assert set(RULES) == {name for name in names if not name.startswith(PREFIXES_OF_RULES)}


@pytest.mark.parametrize("name", sorted({*names_of_rules(), *FIGURES, *TABLES}))
def test_no_experiment_has_the_name_of_a_rule(tmp_path, name):
    file = written(tmp_path, TEXT + f"  {name}: {{extends: demo}}\n")
    message = f"a rule of the workflow is called {name}; give the experiment another name"
    assert error_of(file) == f"params.yaml:{line_of(file, f'  {name}: {{extends')}: experiments.{name}: {message}"


@pytest.mark.parametrize(
    "name", sorted({layout.RAW.name, layout.FETCHED.name, layout.INCEPTION_STATUS.parent.name, "runs", "tables"})
)
def test_no_experiment_has_the_name_of_a_folder(tmp_path, name):
    file = written(tmp_path, TEXT + f"  {name}: {{extends: demo}}\n")
    assert f"experiments.{name}: a folder of the project is called {name}; give the exp" in error_of(file)


def test_the_rules_of_the_workflow_are_found():
    assert {"all", "prepare", "train", "sample_random", "evaluate_bpd", "temperature", "samples", "article"} <= set(
        names_of_rules()
    )


def test_an_empty_path_of_data_is_refused():
    done = program.run("describe", "--data", "", folder=Path.cwd())
    assert done.returncode == 1
    assert done.stderr == "fvae: --data: a folder or an archive is needed\n"
