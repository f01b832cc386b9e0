"""README.md, CONTRIBUTING.md and docs/: what they name exists, what they show runs, what they print was measured."""

import copy
import importlib
import importlib.util
import inspect
import json
import re
import shlex
import shutil
import tomllib
from functools import reduce
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
import yaml
from PIL import Image
from safetensors.torch import load_file

from fvae import layout
from fvae.__main__ import app
from fvae.flows.composition import Composition
from fvae.flows.coupling import Coupling
from fvae.flows.layer import Layer
from fvae.library import TrainedModel
from fvae.models.build import build
from fvae.paper import FIGURES, TABLES
from fvae.paper.style import label
from fvae.params import Experiment, load
from fvae.training.checkpoint import save_weights

ROOT = Path(__file__).parents[1]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.glob("*.md")}
PAGES |= {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "docs").glob("*.md")}
MOST_WORDS = 1200  # of README.md
RULES = "\n".join(path.read_text() for path in [ROOT / "Snakefile", *ROOT.glob("workflow/rules/*.smk")])
WITH_VALUE = {"--cores", "-c", "--retries", "--report", "--profile", "--jobs", "-j", "-R", "--forcerun"}
WITH_VALUE |= {"--latency-wait"}  # of Snakemake


def blocks(page, *languages):
    """The contents of a page's fenced blocks in some languages."""
    return [text for language, text in re.findall(r"^```(\w*)\n(.*?)^```", page, re.M | re.S) if language in languages]


def shown(program):
    """(page, words after the program) of each command in a shell block or in inline code."""
    found = []
    for name, page in PAGES.items():
        outside = re.sub(r"^```.*?^```", "", page, flags=re.M | re.S)
        lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
        for line in lines + re.findall(r"`([^`\n]+)`", outside):
            for command in re.split(r"&&|;", line.split(" #")[0]):
                command = re.sub(r"^(?:[A-Z_]+=\S* )+", "", command.strip())  # of variables of the environment
                if command == program or command.startswith(f"{program} "):
                    found.append((name, shlex.split(command.removeprefix(program))))
    assert found, f"no page shows {program}"
    return found


def tables(page):
    """Each table of a page as a list of rows, and each row as {column: cell}."""
    found = []
    for lines in re.findall(r"(?:^\|.*\|\n)+", page, re.M):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines.splitlines()]
        assert all(len(row) == len(rows[0]) for row in rows), (
            f"a row has more or fewer cells than its header: {rows[0]}"
        )
        found.append([dict(zip(rows[0], row, strict=True)) for row in rows[2:]])
    return found


def section(page, heading):
    """The part of a page under a heading, up to the next heading of the same depth."""
    depth = heading.split(" ")[0]
    assert f"\n{heading}\n" in page, heading
    return re.split(rf"^{depth} ", page.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]


# Names


@pytest.mark.parametrize("name", [*FIGURES, *TABLES, *load().experiments])
def test_every_figure_table_and_experiment_is_named(name):
    assert any(f"`{name}`" in page for page in PAGES.values())


def test_protocol_has_a_row_for_every_figure_and_table():
    (listed,) = tables(section(PAGES["docs/protocol.md"], "## Figures and tables"))
    names = [re.match("`(.*?)`( .table.)?", row["figure or table"]) for row in listed]
    assert {name[1] for name in names if not name[2]} == {*FIGURES}
    assert {name[1] for name in names if name[2]} == {*TABLES}


def anchor(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_stands_between_the_rows_of_a_table(name):
    for line, after in pairwise(PAGES[name].splitlines()):
        assert not line.startswith("|") or after == "" or after.startswith(("|", "```")), after


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name):
    for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if link.startswith("https://"):
            continue
        path, _, heading = link.partition("#")
        target = ((ROOT / name).parent / path if path else ROOT / name).resolve()
        assert target.exists(), link
        if heading:
            assert heading in map(anchor, re.findall(r"^#+ (.*)$", target.read_text(), re.M)), link


def test_readme_links_to_every_page():
    assert all(f"]({name})" in PAGES["README.md"] for name in PAGES if name != "README.md")


def test_contributing_shows_the_layers_that_are_checked():
    (shown,) = (block for block in blocks(PAGES["CONTRIBUTING.md"], "") if "→" in block)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    checked = [{part.strip().removeprefix("fvae.") for part in re.split("[|:]", layer)} for layer in layers]
    assert [{*re.findall(r"\w+", layer)} for layer in shown.split("→")] == checked


def test_readme_is_short():
    assert len(PAGES["README.md"].split()) <= MOST_WORDS


@pytest.mark.parametrize("name", PAGES)
def test_files_that_are_named_exist(name):
    paths = re.findall(r"`((?:fvae|workflow|tests|benchmarks)/[\w./]+)`", PAGES[name])
    for path in (path for path in paths if not re.search("[A-Z]{2}", path)):  # NAME stands for any
        assert (ROOT / path).exists(), path


# Deviations from the authors' code


def restoring():
    """(name, value) of each parameter in the last column of the table of deviations."""
    (rows,) = tables(section(PAGES["docs/protocol.md"], "## Deviations from the authors' code"))
    found = [re.findall(r"`([\w.]+): ([^`]+)`", row["to restore it"]) for row in rows]
    assert all(found), "each row names a parameter"
    return [(name, yaml.safe_load(value)) for row in found for name, value in row]


def with_parameter(experiment, name, value):
    """An experiment as a dictionary, with one parameter set."""
    *sections, last = name.split(".")
    changed = copy.deepcopy(experiment)
    inner = reduce(lambda part, key: part[key], sections, changed)
    assert last in inner, name
    inner[last] = value
    return changed


@pytest.mark.parametrize(("name", "value"), restoring())
def test_each_parameter_that_restores_the_authors_choice_changes_celeba64(name, value):
    celeba64 = load().experiments["celeba64"]
    changed = Experiment.model_validate(with_parameter(celeba64.model_dump(), name, value))
    assert changed != celeba64


def test_all_of_them_but_glow_s_images_are_celeba64_authors():
    """It has no other baselines than theirs, and its claims are about those that it has."""
    experiments = load().experiments
    made, authors = experiments["celeba64"].model_dump(), experiments["celeba64_authors"].model_dump()
    for name, value in restoring():
        if name != "data.path":
            made = with_parameter(made, name, value)
    made["models"] = {name: made["models"][name] for name in ("vae", "glow", "fvae")}
    assert {name: value for name, value in made.items() if name != "claims"} == {
        name: value for name, value in authors.items() if name != "claims"
    }


# Commands


def test_make_targets_exist():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    for page, words in shown("make"):
        assert set(words) <= {*targets}, (page, words)


@pytest.mark.parametrize(("page", "words"), shown("python -m fvae"))
def test_commands_of_the_program_are_accepted(page, words):
    commands = typer.main.get_command(app).commands
    if not words or words == ["--help"] or words[0] == "COMMAND":
        return
    assert words[0] in commands, f"{page}: python -m fvae has no command {words[0]}"
    if words[1:] not in ([], ["--help"]):  # prose may name a command without its options
        commands[words[0]].make_context(words[0], words[1:])  # parses them, and runs nothing


def test_other_programs_exist():
    for page, words in shown("python"):
        if words[0] == "-m":
            assert importlib.util.find_spec(words[1]), (page, words)
        else:
            assert (ROOT / words[0]).exists(), (page, words)


def own_experiments():
    """The experiments that a page tells the reader to add to params.yaml, in README's block of YAML."""
    return {name for block in blocks(PAGES["README.md"], "yaml") for name in yaml.safe_load(block)}


def test_the_sweep_of_the_page_is_the_one_of_the_file():
    (printed,) = (yaml.safe_load(block) for block in blocks(PAGES["docs/workflow.md"], "yaml") if "latents:" in block)
    experiments = yaml.safe_load((ROOT / "experiments/searches.yaml").read_text())["experiments"]
    assert printed["latents"] == experiments["latents"]


def is_target(target):
    """Whether Snakemake would know a target: a rule, an experiment, or a figure, table or verdict of one."""
    experiments = {*load().experiments, *own_experiments()}
    if target in experiments or re.search(rf"^rule {re.escape(target)}:", RULES, re.M):
        return True
    files = {
        *(
            layout.figure(e, name, suffix)
            for e in experiments
            for name in (*FIGURES, "paper")
            for suffix in ("pdf", "png")
        ),
        *(layout.table(e, name, suffix) for e in experiments for name in TABLES for suffix in ("csv", "md", "tex")),
        *(layout.claims(e, suffix) for e in experiments for suffix in ("md", "json")),
        *map(layout.metrics, experiments),
        *map(layout.metrics, experiments),
    }
    return Path(target) in files


@pytest.mark.parametrize(("page", "words"), shown("snakemake"))
def test_snakemake_targets_exist(page, words):
    values = [word for before, word in pairwise(words) if before in WITH_VALUE]
    for word in words:
        if not word.startswith("-") and word not in values:
            assert is_target(word), (page, word)


def test_a_target_that_does_not_exist_is_noticed():
    assert not is_target("paper_figures/demo/no_such_figure.pdf")
    assert not is_target("no_such_rule")


def test_dvc_stages_exist():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    found = [(page, word) for page, words in shown("dvc") for word in words if "@" in word and "=" not in word]
    assert found
    for page, word in found:
        stage, _, experiment = word.partition("@")
        assert stage in stages, (page, word)
        assert experiment in {*load().experiments, "EXPERIMENT"}, (page, word)


# The library


def test_the_page_on_the_library_names_every_layer_and_only_those_that_exist():
    listed = [row for table in tables(PAGES["docs/library.md"]) for row in table if "layer" in row]
    named = set()
    for row in listed:
        module, *names = [part for name in re.findall("`(.*?)`", row["layer"]) for part in name.split(".")]
        named |= {getattr(importlib.import_module(f"fvae.flows.{module}"), name) for name in names}
    layers, left = set(), [Layer]
    while left:
        found = [kind for kind in left.pop().__subclasses__() if kind.__module__.startswith("fvae.flows.")]
        layers |= set(found)
        left += found
    assert layers - {Coupling, Composition} <= named


def test_the_page_on_the_library_names_every_method():
    (listed,) = ({row["method"] for row in t} for t in tables(PAGES["docs/library.md"]) if "method" in t[0])
    methods = {name: method for name, method in vars(TrainedModel).items() if inspect.isfunction(method)}
    shown = {re.match(r"`(\w+)\((.*)\)`", each)[1]: each for each in listed}
    assert set(shown) == {name for name in methods if not name.startswith("_")}
    for name, text in shown.items():
        parameters = list(inspect.signature(methods[name]).parameters)[1:]
        assert re.findall(r"(\w+)(?:=[\d.]+)?[,)]", text) == parameters, text


# README's code


@pytest.fixture
def _trained(tmp_path, monkeypatch):
    """A project in which demo's f-VAE is trained; weights as they are drawn are enough."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    run, spec = layout.Run("demo", "fvae", 0), load().experiment("demo").models["fvae"]
    save_weights(run.weights, build(spec, size=32).state_dict())
    run.model_spec.write_text(spec.model_dump_json())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_trained")
def test_the_library_example_of_the_readme_runs():
    (code,) = blocks(PAGES["README.md"], "python")
    exec(code, variables := {})
    assert variables["faces"].shape == (4, 3, 32, 32)
    assert variables["faces"].dtype == np.uint8
    saved = load_file(layout.Run("demo", "fvae", 0).weights)
    for name, value in variables["trained"].model.state_dict().items():
        assert torch.equal(value.cpu(), saved[name]), name


@pytest.mark.usefixtures("_trained")
def test_the_code_of_the_page_on_the_library_runs():
    Image.new("RGB", (90, 60), "brown").save("me.jpg")
    Image.new("RGB", (60, 90), "white").save("you.png")
    variables = {}
    for code in blocks(PAGES["docs/library.md"], "python"):
        exec(code.replace("hf://OWNER/NAME", "results/demo/runs/fvae/seed-0"), variables)
    assert variables["between"].shape == (9, 3, 32, 32)
    assert variables["loss"].shape == (8,)
    assert variables["loss"].isfinite().all()


# Numbers


SHOWN_AS = {"SWD × 10³ ↓": "SWD mean ↓"}  # columns of README that a table of results names otherwise


def recorded(experiment, table):
    """The rows of a reference run's table, as {column: cell}."""
    (rows,) = tables((ROOT / "results" / experiment / "tables" / f"{table}.md").read_text())
    return rows


@pytest.mark.parametrize(("heading", "experiment"), [("## Real faces", "faces64"), ("## Results of `study`", "study")])
def test_readme_prints_the_reference_runs(heading, experiment):
    shown = tables(section(PAGES["README.md"], heading))[0]
    measured = recorded(experiment, "metrics")
    assert len(shown) == len(measured)
    for row, found in zip(shown, measured, strict=True):
        assert row == {column: found[SHOWN_AS.get(column, column)] for column in row}


@pytest.mark.parametrize(("heading", "experiment"), [("## Real faces", "faces64"), ("## Results of `study`", "study")])
def test_protocol_prints_the_reference_runs(heading, experiment):
    shown = tables(section(PAGES["docs/protocol.md"], heading))[:3]
    assert shown == [recorded(experiment, name) for name in ("metrics", "random_features", "sizes")]


def test_protocol_prints_the_other_runs():
    assert tables(section(PAGES["docs/protocol.md"], "## Few images"))[0] == recorded("lfw64", "metrics")
    parameters = tables(section(PAGES["docs/protocol.md"], "## Results of `study_parameters`"))
    assert parameters == [recorded("study_parameters", "metrics"), recorded("study_parameters", "sizes")]
    family = tables(section(PAGES["docs/protocol.md"], "## Results of `family`"))
    assert family[:2] == [recorded("family", "metrics"), recorded("family", "sizes")]


VERDICTS = {  # rows of README: the claim, and with which model f-VAEs are compared
    "(a) sharp where the dense VAE blurs": ("a", "vae_dense"),
    "(b) better than Glow of equal arithmetic": ("b", "glow"),
    "(b) faster than Glow, over images": ("b, level over images", "glow"),
    "(d) VAE and flow are exact special cases": ("d", None),
    "(e) F may reduce the dimension": ("e", "fvae"),
}


VERDICTS_OF_FACES = {
    "(b) better than Glow": ("b", "glow"),
    "(e) F may reduce the dimension": ("e", "fvae"),
}


@pytest.mark.parametrize(
    ("heading", "experiment", "printed"),
    [("## Results of `study`", "study", VERDICTS), ("## Real faces", "faces64", VERDICTS_OF_FACES)],
)
def test_readme_prints_the_verdicts(heading, experiment, printed):
    (rows,) = (t for t in tables(section(PAGES["README.md"], heading)) if "claim" in t[0])
    claims = json.loads((ROOT / "results" / experiment / "claims.json").read_text())
    assert [row["claim"] for row in rows] == [*printed]
    for row in rows:
        name, against = printed[row["claim"]]
        for model in ("fvae", "fvae_reduced", "fvae_conv"):
            column = label(model)
            if not row[column]:
                continue
            (claim,) = (c for c in claims if c["name"] == name and compares(c, model, against))
            verdict, _, effect = row[column].partition(": ")
            assert verdict == claim["verdict"]
            if effect:
                (found,) = claim["numbers"]["comparisons"]
                low, high = found["interval"]
                assert effect.startswith(f"{found['estimate']:.2f} ({low:.2f} to {high:.2f}) ×")


def compares(claim, model, against):
    """Whether a claim compares these two models; against None: whether it compares none."""
    models = [each["models"] for each in claim["numbers"].get("comparisons", [])]
    return [model, against] in models if against else not models


@pytest.mark.parametrize("experiment", ["study", "study_parameters"])
def test_effects_in_the_protocol_are_those_of_the_study(experiment):
    page = section(PAGES["docs/protocol.md"], f"## Results of `{experiment}`")
    for claim in json.loads((ROOT / "results" / experiment / "claims.json").read_text()):
        if claim["name"] in ("b", "e"):
            (found,) = claim["numbers"]["comparisons"]
            assert f"{found['estimate']:.2f} times" in page
            assert "{:.2f} to {:.2f})".format(*found["interval"]) in page


def record(name):
    """A record of benchmarks/results."""
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


SPEED = record("amd-epyc-1-threads")
FID, PREPARE = record("fid-amd-epyc-2-threads"), record("prepare-amd-epyc-2-threads")
PIPELINE, GROWTH = record("pipeline-amd-epyc-2-threads"), record("growth-amd-epyc-2-threads")
SAMPLING = record("sampling-amd-epyc-1-threads")


def spread(found):
    """A ratio and its range as printed."""
    return f"{found['ratio']:.2f} × ({found['low']:.2f} to {found['high']:.2f})"


def pipeline():
    commit = PIPELINE["commit"][:7]
    return [
        {
            "seconds": name,
            f"then, {PIPELINE['baseline']}": f"{PIPELINE[part]['then']:,.0f}",
            f"the same work, {commit}": f"{PIPELINE[part]['same work']:,.0f}",
            "share": f"{PIPELINE[f'{part}: same work']['ratio']:.2f} ×",
            f"`make` now, {commit}": f"{PIPELINE[part]['now']:,.0f}",
            "share of then": f"{PIPELINE[f'{part}: now']['ratio']:.2f} ×",
        }
        for part, name in (
            ("whole", "the whole, without installation"),
            ("trainings", "all trainings, added up"),
            ("other jobs", "all other jobs, added up"),
        )
    ]


def rules():
    now = PIPELINE["runs"]["now"][0]
    found = {rule: each for rule, each in now["rules"].items() if rule != "train"}
    longest = sorted(found, key=lambda rule: -found[rule]["seconds"])[:10]
    return [
        {"rule": f"`{rule}`", "jobs": f"{found[rule]['jobs']}", "seconds": f"{found[rule]['seconds']:.0f}"}
        for rule in longest
    ]


def glow_beside_normflows():
    kinds = {
        "training step, batch 8": "training_batch_8",
        "training step, batch 16": "training_batch_16",
        "64 samples": "sampling",
    }
    return [
        {
            "speed, ours / normflows": f"{what}, {precision}",
            "as its examples use it": spread(SPEED[benchmark][f"{ours} / normflows"]),
            "in channels_last": spread(SPEED[benchmark][f"{ours} / normflows channels_last"]),
        }
        for precision, ours in (("float32", "ours"), ("this project in bf16", "ours bf16"))
        for what, benchmark in kinds.items()
    ]


def memory():
    found = SPEED["memory"]
    names = {"normflows": "normflows", "ours": "this project", "reversible": "this project, `reversible`"}
    return [
        {
            "peak memory": name,
            "GiB": f"{found[who] / 2**30:.2f}",
            "share": "" if who == "normflows" else f"{found[who] / found['normflows']:.2f}",
        }
        for who, name in names.items()
    ]


EXPERIMENTS = ("demo", "celeba64", "celeba128")


def models_of_the_paper():
    return [
        {
            "experiment": f"`{experiment}`",
            "precision": name,
            "images per second": f"{found['images_per_second']:.1f}",
            "hours for 4.8 M images": f"{found['hours_of_4.8M_images']:.0f}",
            "share of a convolution's arithmetic": spread(found["share_of_convolution"]),
        }
        for experiment in EXPERIMENTS
        for name, precision in (("float32", "float32"), ("bf16", "bfloat16"))
        for found in [SPEED[f"{experiment}_{precision}"]]
    ]


def time_of_a_step():
    operations = {
        "convolutions, backward": "aten::convolution_backward",
        "convolutions, forward": "aten::mkldnn_convolution",
        "copies": "aten::copy_",
    }
    return [
        {"share of a step": name}
        | {
            f"`{experiment}`": f"{SPEED[f'profile_{experiment}_float32'][key]:.0%}"
            if key in SPEED[f"profile_{experiment}_float32"]
            else ""
            for experiment in EXPERIMENTS
        }
        for name, key in operations.items()
    ]


def choices():
    names = {
        "bf16": "`precision: bf16-mixed`",
        "compile": "`compile: true`",
        "bf16 and compile": "both",
        "no channels_last": "`channels_last: false`",
        "reversible": "`reversible: true`",
    }
    return [
        {"choice / default": name}
        | {f"`{experiment}`": spread(SPEED[f"choices_{experiment}"][key]) for experiment in ("demo", "celeba64")}
        for key, name in names.items()
    ]


def generation():
    return [
        {
            "model": label(model),
            "ms per image": f"{1e3 * found['median']:.2f} ({1e3 * found['low']:.2f} to {1e3 * found['high']:.2f})",
        }
        for model, found in SAMPLING["seconds_per_image"].items()
    ]


def growth():
    def cells(line):
        kinds = (("seconds", "{:.1f}"), ("MiB", "{:.0f}"))
        return {kind: " / ".join(form.format(value) for value in line[kind]) for kind, form in kinds}

    return [
        {"what": line["what"], "at 1 ×": f"{line['work']:,}"}
        | cells(line)
        | {"growth": "" if line["growth"] is None else f"{line['growth']:.1f}"}
        for line in GROWTH["growth"]
    ]


def fid():
    seconds = FID["seconds"]
    return [
        {"step": "features of the reference, once per experiment", "seconds": f"{seconds['reference']:.1f}"},
        {"step": "one model: FID, KID, precision, recall, density, coverage", "seconds": f"{seconds['model']:.1f}"},
        {"step": "`python -m pytorch_fid` on the same images as PNG files", "seconds": f"{seconds['pytorch_fid']:.1f}"},
    ]


def prepare():
    archives = {"LFW": "lfw-deepfunneled.tgz", "CelebA's originals": "celeba_aligned_2921_originals.zip"}
    return [
        {
            "images": name,
            "this project, images per second": f"{PREPARE[file]['images_per_second']['ours']:,.0f}",
            "Pillow loop, images per second": f"{PREPARE[file]['images_per_second']['loop']:,.0f}",
            "ratio": spread(PREPARE[file]["ours / loop"]),
        }
        for name, file in archives.items()
    ]


def planning():
    forms = {
        "trainings": ("trainings", "{:,}"),
        "jobs": ("jobs", "{:,}"),
        "seconds": ("seconds", "{:.1f}"),
        "seconds, bare Snakefile": ("seconds_bare", "{:.1f}"),
        "MiB": ("MiB", "{:.0f}"),
        "seconds, all made": ("seconds_when_made", "{:.1f}"),
        "MiB, all made": ("MiB_when_made", "{:.0f}"),
        "notes in .snakemake/metadata": ("metadata_files", "{:,}"),
        "seconds of --touch": ("seconds_of_touch", "{:.1f}"),
    }
    return [
        {"experiments × seeds": f"{found['experiments']} × {found['seeds']}"}
        | {column: form.format(found[key]) if key in found else "" for column, (key, form) in forms.items()}
        for found in record("planning-amd-epyc-2-threads")["planning"]
    ]


BENCHMARKS = {
    "## The whole pipeline": [pipeline(), rules()],
    "## Glow and normflows": [glow_beside_normflows(), memory()],
    "## The paper's f-VAE": [models_of_the_paper(), time_of_a_step()],
    "## Parameters that change speed or memory": [choices()],
    "## Generation": [generation()],
    "## FID": [fid()],
    "## Preparation of images": [prepare()],
    "## Planning": [planning()],
    "## Growth": [growth()],
}


@pytest.mark.parametrize("heading", BENCHMARKS)
def test_tables_of_benchmarks_print_the_records(heading):
    assert tables(section(PAGES["docs/benchmarks.md"], heading)) == BENCHMARKS[heading]


def test_numbers_in_the_text_of_benchmarks_are_those_of_the_records():
    page = PAGES["docs/benchmarks.md"]
    projection = PREPARE["projection"]
    assert f"{projection['minutes_of_30000']:.1f} minutes" in page
    assert f"{projection['images']:,} synthetic" in page
    assert f"{FID['ratio']:.2f} times" in page
    assert f"{FID['images']} images" in page


def test_numbers_in_the_text_of_data_are_those_of_the_records():
    page = PAGES["docs/data.md"]
    (minutes,) = {float(number) for number in re.findall(r"(\d\.\d) minutes", page)}
    assert minutes == pytest.approx(PREPARE["projection"]["minutes_of_30000"], abs=0.05)
    for images, name in (("lfw-deepfunneled.tgz", "LFW"), ("celeba_aligned_2921_originals.zip", "CelebA")):
        assert f"{PREPARE[images]['ours / loop']['ratio']:.2f} ({name})" in page
    hours = [
        SPEED[f"{experiment}_{precision}"]["hours_of_4.8M_images"]
        for experiment in ("celeba64", "celeba128")
        for precision in ("float32", "bfloat16")
    ]
    assert f"[{min(hours):.0f} to {max(hours):.0f} hours]" in page


def test_every_record_is_listed_with_its_commit():
    (listed,) = tables(section(PAGES["docs/benchmarks.md"], "## Records"))
    named = {re.search(r"\(([^)]+)\)", row["record"])[1]: row for row in listed}
    files = {f"../benchmarks/results/{path.name}" for path in (ROOT / "benchmarks/results").glob("*.json")}
    assert set(named) == files
    for file, row in named.items():
        found = json.loads((ROOT / "docs" / file).read_text())
        assert row["machine"] == found["device"]
        commits = [
            part["commit"][:7] for part in [found, *found.values()] if isinstance(part, dict) and "commit" in part
        ]
        assert all(commit in row["commit"] for commit in commits)
