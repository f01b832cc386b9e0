"""The experiment `study` at a tiny size, from images to verdicts, with five seeds of each model."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from fvae import layout
from fvae.commands import evaluate, floor, inception, match, prepare, reference, sample, summary, train
from fvae.paper import claims, make_table
from fvae.params import load

pytestmark = pytest.mark.xdist_group("study")  # which is made once

ROOT = Path(__file__).parents[1]
METRICS = ("bpd", "swd", "portrait_distance", "random_features", "fid", "sharpness")


def tiny(folder):
    """params.yaml with `demo`, which `study` extends, at 16×16 and with a few steps of training."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    demo = params["experiments"]["demo"]
    models = demo["models"]
    models["vae_dense"]["encoder"] |= {"channels": [8, 8], "latent": {"dense": 4}}
    models["fvae_conv"]["encoder"] |= {"channels": [8, 8], "latent": 4}
    models["fvae_conv"]["flow"] |= {"levels": 1, "steps": 2, "width": 24}
    models["vae"]["encoder"] |= {"levels": 1, "steps": 1}
    models["glow"]["flow"] |= {"levels": 1, "steps": 1}
    models["fvae"]["encoder"] |= {"levels": 1, "steps": 1}
    models["fvae"]["flow"] |= {"levels": 1, "steps": 2, "width": 24}
    del models["fvae_reduced"]  # the same kind of model as fvae
    demo["claims"]["fvae"].remove("fvae_reduced")
    demo |= {
        "data": demo["data"] | {"size": 16, "train": 64, "validation": 36, "test": 36},
        "match": demo["match"] | {"tolerance": 0.5},
        "training": {
            "images": 48,
            "cooldown_images": 0,
            "batch_size": 16,
            "validate_every_images": 16,
            "validation_images": 16,
        },
        "sampling": {"random": {"images": 36, "draws": 2}},
        "evaluation": {
            "bpd": {"images": 8, "importance_samples": 2},
            "sharpness": {"images": 8},
            "swd": {"images": 16, "patches": 4},
            "fid": {"mode": "off", "images": 36},
            "portrait_distance": {"images": 36},
        },
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    shutil.copytree(ROOT / "fvae/paper", folder / "fvae/paper", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The finished experiment."""
    folder = tmp_path_factory.mktemp("study")
    tiny(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("fvae.evaluation.inception.TIMEOUT", 0.1)
        experiment = load().experiment("study")
        prepare.run("study")
        inception.run()
        reference.run("study")
        floor.run("study")
        for model, spec in experiment.models.items():
            match.run("study", model)
            for seed in experiment.seeds:
                train.run("study", model, seed)
                sample.run("study", model, "random", seed)
                for metric in METRICS:
                    evaluate.run("study", model, [metric], seed)
                if spec.kind in ("vae", "flow"):
                    evaluate.run("study", model, ["special_case"], seed)
        summary.run("study")
        for name in ("sizes", "metrics"):
            make_table(name, "study", experiment)
        claims.write("study", experiment)
        yield experiment


def test_every_model_is_trained_with_every_seed(study):
    assert len(study.seeds) >= 5
    numbers = pd.read_csv(layout.table("study", "metrics", "csv"))
    trained = numbers[numbers["model"] != "real images"]
    assert set(zip(trained["model"], trained["seed"], strict=True)) == {
        (model, seed) for model in study.models for seed in study.seeds
    }
    assert (trained.groupby("model")["portrait_distance"].nunique() == len(study.seeds)).all()


def test_models_are_compared_at_equal_arithmetic(study):
    assert study.match.quantity == "macs"
    sizes = pd.read_csv(layout.table("study", "sizes", "csv")).set_index("model")
    for model in study.models:
        assert abs(sizes["macs"][model] / sizes["macs"]["fvae"] - 1) <= study.match.tolerance
    found = {claim["claim"] for claim in json.loads(layout.claims("study", "json").read_text())}
    assert any("(f-VAE against Glow)" in claim for claim in found)


def test_the_same_is_done_at_equal_parameters(study):
    parameters = load(ROOT / "params.yaml").experiment("study_parameters")
    arithmetic = load(ROOT / "params.yaml").experiment("study")
    assert parameters.match.quantity == "parameters"
    assert parameters.model_copy(update={"match": arithmetic.match}) == arithmetic


def test_five_seeds_make_tests(study):
    text = layout.claims("study", "md").read_text()
    assert "No test could be made" not in text
    assert "1 seed cannot tell" not in text
    found = json.loads(layout.claims("study", "json").read_text())
    assert all(claim["verdict"] in ("holds", "does not hold", "not decided here") for claim in found)
    assert all(claim["change"] for claim in found)
