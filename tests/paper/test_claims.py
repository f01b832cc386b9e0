"""The claims: each verdict from made-up measurements, where one knows how it must come out."""

import json

import pandas as pd
import pytest

from fvae import layout, params
from fvae.paper import claims

DEMO = params.load("params.yaml").experiments["demo"]
FAMILY = params.load("params.yaml").experiments["family"]
MODELS = ("vae", "glow", "fvae")


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """A function that writes what was measured and gives the verdicts by claim."""
    monkeypatch.chdir(tmp_path)

    def decided(experiment=DEMO, seeds=(0, 1, 2), **values):
        experiment = experiment.model_copy(update={"seeds": seeds})
        values = {
            "sharpness": {"vae": [-9, -8, -9], "glow": [0, 0, 0], "fvae": [-1, -2, -1]},
            "swd": {"vae": [90, 91, 92], "glow": [30.0, 30.2, 30.1], "fvae": [20.0, 20.2, 20.1]},
            "fid": {},
            "curves": {"glow": [50, 40, 30], "fvae": [40, 25, 20]},
            "difference": 1e-12,
        } | values
        for model in experiment.models:
            for seed in seeds:
                run = layout.Run("demo", model, seed)

                def of(name, fallback, model=model, seed=seed):
                    return values[name].get(model, [fallback] * 3)[seed]

                metrics = {
                    "bpd": {"bpd": 4.0, "bound": model != "glow"},
                    "swd": {"mean": of("swd", 50.0)},
                    "fid": {"fid": of("fid", None)},
                    "sharpness": {
                        "high_frequency_db": of("sharpness", 0.0),
                        "reconstructions": {"high_frequency_db": -2.0},
                    },
                    "special_case": {"difference": values["difference"], "nats": 2000.0},
                }
                run.folder.joinpath("metrics").mkdir(parents=True, exist_ok=True)
                for name, value in metrics.items():
                    run.metric(name).write_text(json.dumps(value))
                run.training.write_text(json.dumps({"seconds": 7200.0, "device": "a toaster"}))
                swd = values["curves"].get(model, [3, 2, 1])
                columns = {"epoch": [1, 2, 3], "images": [10, 20, 30], "seconds": [5.0, 10.0, 15.0]}
                pd.DataFrame(columns | {"bpd": [6, 5, 4], "swd": swd}).to_csv(run.history, index=False)
        claims.write("demo", experiment)
        return {claim["name"]: claim for claim in json.loads(layout.claims("demo", "json").read_text())}

    return decided


def verdict(decided, name):
    return decided[name]["verdict"]


def test_blur(measured):
    assert verdict(measured(), "a") == "holds"
    sharp = {"vae": [9, 9, 9], "fvae": [0, 0, 0]}
    decided = measured(sharpness=sharp)
    assert verdict(decided, "a") == "not decided here"
    assert "The VAE's samples are not blurry here" in decided["a"]["reason"]
    assert verdict(measured(sharpness={"vae": [-9, -9, -9], "fvae": [-4, -5, -4]}), "a") == "does not hold"
    assert verdict(measured(sharpness={"vae": [-9, -9, -9], "fvae": [-4, -1, -1]}), "a") == "not decided here"


def test_better_than_glow(measured):
    assert verdict(measured(), "b") == "holds"
    assert verdict(measured(swd={"glow": [20.0, 20.1, 20.2], "fvae": [30.0, 30.1, 30.2]}), "b") == "does not hold"
    assert verdict(measured(swd={"glow": [20.0, 30.0, 25.0], "fvae": [21.0, 29.0, 25.0]}), "b") == "not decided here"
    decided = measured(fid={"glow": [20.0, 20.1, 20.2], "fvae": [30.0, 30.1, 30.2]})
    assert verdict(decided, "b") == "does not hold"
    assert "FID: Glow 20.0, 20.1, 20.2" in decided["b"]["reason"]


def test_one_seed_decides_no_comparison(measured):
    decided = measured(seeds=(0,))
    for name in ("b", "b, epochs", "b, images", "b, seconds"):
        assert verdict(decided, name) == "not decided here"
        assert "One seed" in decided[name]["reason"]
    assert verdict(decided, "d") == "holds"


def test_faster_than_glow(measured):
    """Glow ends at 30; the f-VAE is there after two of three."""
    decided = measured()
    assert decided["b, epochs"]["numbers"] == {"epochs": {"glow": [3.0] * 3, "fvae": [2.0] * 3}}
    assert verdict(decided, "b, seconds") == "holds"
    assert verdict(measured(curves={"glow": [30, 20, 10], "fvae": [40, 35, 30]}), "b, epochs") == "does not hold"


def test_hours_are_told_and_not_decided_elsewhere(measured):
    decided = measured()
    assert verdict(decided, "c") == "not decided here"
    assert "2, 2, 2 hours on a toaster" in decided["c"]["reason"]


def test_special_cases(measured):
    assert verdict(measured(), "d") == "holds"
    assert verdict(measured(difference=1.0), "d") == "does not hold"


def test_a_dimension_reducing_flow_needs_such_a_model(measured):
    assert verdict(measured(), "e") == "not decided here"
    decided = measured(FAMILY)
    assert verdict(decided, "e") == "holds"
    assert decided["e"]["numbers"]["fvae_reduced"]["d"] == 768


def test_an_experiment_without_a_kind_decides_what_it_can(measured):
    only = DEMO.model_copy(update={"models": {"fvae": DEMO.models["fvae"]}})
    decided = measured(only)
    assert decided["a"]["reason"] == "The experiment has no VAE."
    assert {verdict(decided, name) for name in ("a", "b", "d")} == {"not decided here"}


def test_the_markdown_says_it_in_words(measured):
    measured(seeds=(0,))
    text = layout.claims("demo", "md").read_text()
    assert text.startswith("# The paper's claims in `demo`\n\nDecided from 1 seed by fixed rules.\n")
    assert "**(d) VAE and flow are exact special cases of equation (6): holds.**" in text
