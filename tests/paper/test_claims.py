"""The claims: each verdict from made-up measurements, where one knows how it must come out."""

import json

import pytest
from measurements import MEASURED_FID, write_matched, write_metrics, write_training

from fvae import layout, params
from fvae.paper import claims

DEMO = params.load("params.yaml").experiments["demo"]
FAMILY = params.load("params.yaml").experiments["family"]
CELEBA = params.load("params.yaml").experiments["celeba64"]
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
            "curves": {
                "glow": [[50, 40, 30], [50, 41, 31], [50, 39, 30]],
                "fvae": [[40, 25, 20], [41, 26, 20], [40, 26, 21]],
            },
            "bounds": {},
            "seconds": 7200.0,
            "device": "a toaster",
            "difference": 1e-12,
        } | values
        for model in experiment.models:
            for seed in seeds:
                run = layout.Run("demo", model, seed)

                def of(name, fallback, model=model, seed=seed):
                    return values[name].get(model, [fallback] * 3)[seed]

                fid = of("fid", None)
                write_metrics(
                    run,
                    exact=model == "glow",
                    swd={"mean": of("swd", 50.0)},
                    fid=MEASURED_FID | {"fid": fid} if fid is not None else {"reason": "no weights."},
                    sharpness={"high_frequency_db": of("sharpness", 0.0)},
                    special_case={"difference": values["difference"]},
                )
                curves = {"bpd": of("bounds", [6, 5, 4]), "swd": of("curves", [3, 2, 1])}
                write_training(run, seconds=values["seconds"], device=values["device"], **curves)
        write_matched("demo", experiment)
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
    assert "n/a" not in decided["b"]["reason"]


def test_better_than_glow_says_what_is_the_same(measured):
    """The matched quantity, each model's sizes and costs, and why it is SWD that decides."""
    decided = measured()["b"]
    numbers = decided["numbers"]
    assert numbers["matched in"] == "parameters"
    assert numbers["parameters"]["glow"] == pytest.approx(numbers["parameters"]["fvae"], rel=0.05)
    assert set(numbers["macs"]) == {"glow", "fvae"}
    assert numbers["seconds of training"]["fvae"] == [7200.0] * 3
    assert f"Glow {numbers['parameters']['glow']:,} parameters" in decided["reason"]
    assert "Matched in parameters, 5 epochs" in decided["reason"]
    assert "7,200, 7,200, 7,200 seconds of training" in decided["reason"]
    assert decided["reason"].endswith("SWD decides, for FID is n/a: no weights.")


def test_one_seed_decides_no_comparison(measured):
    decided = measured(seeds=(0,))
    for name in ("b", "b, epochs", "b, images", "b, seconds"):
        assert verdict(decided, name) == "not decided here"
        assert "One seed" in decided[name]["reason"]
    assert verdict(decided, "d") == "holds"


def test_faster_than_glow(measured):
    """The line between validations: Glow ends at 30 or 31, where the f-VAE is before its second validation."""
    decided = measured()
    expected = {"glow": [3.0, 3.0, 3.0], "fvae": [1 + 10 / 15, 1 + 10 / 15, 1 + 10 / 14]}
    for kind, epochs in expected.items():
        assert decided["b, epochs"]["numbers"]["epochs"][kind] == pytest.approx(epochs)
        assert decided["b, seconds"]["numbers"]["seconds"][kind] == pytest.approx([5 * epoch for epoch in epochs])
    assert all(verdict(decided, f"b, {what}") == "holds" for what in ("epochs", "images", "seconds"))
    assert decided["b, epochs"]["numbers"]["p"] < 0.05
    assert "Glow 3.00, 3.00, 3.00, f-VAE 1.67, 1.67, 1.71 epochs." in decided["b, epochs"]["reason"]


def test_slower_than_glow(measured):
    glow, fvae = ([[30, 20, 10], [30, 21, 10], [30, 22, 10]], [[50, 40, 29], [51, 40, 28], [52, 40, 27]])
    assert verdict(measured(curves={"glow": glow, "fvae": fvae}), "b, epochs") == "does not hold"


@pytest.mark.parametrize(
    "curves",
    [
        {"glow": [[50, 40, 30]] * 3, "fvae": [[50, 40, 30]] * 3},
        {"glow": [[30, 40, 35]] * 3, "fvae": [[20, 10, 5]] * 3},  # both by the first validation
    ],
)
def test_a_tie_for_every_seed_is_not_decided(measured, curves):
    decided = measured(curves=curves)
    for what in ("epochs", "images", "seconds"):
        assert verdict(decided, f"b, {what}") == "not decided here"
        assert "A tie for every seed: validations" in decided[f"b, {what}"]["reason"]


def test_seeds_that_scatter_do_not_decide_which_is_faster(measured):
    glow, fvae = ([[50, 30, 20], [50, 40, 30], [50, 45, 40]], [[50, 40, 30], [50, 30, 20], [50, 41, 40]])
    decided = measured(curves={"glow": glow, "fvae": fvae})
    assert verdict(decided, "b, epochs") == "not decided here"
    assert "No significant difference over 3 seeds" in decided["b, epochs"]["reason"]


def test_hours_are_told_and_not_decided_elsewhere(measured):
    decided = measured()
    assert verdict(decided, "c") == "not decided here"
    assert "2, 2, 2 hours on a toaster" in decided["c"]["reason"]
    for part in ("another device", "other images than CelebA-HQ's", "another size"):
        assert part in decided["c"]["reason"]


@pytest.mark.parametrize(("hours", "expected"), [(7.5, "holds"), (5, "holds"), (11, "does not hold")])
def test_hours_on_the_paper_s_card_are_decided(measured, hours, expected):
    decided = measured(CELEBA, device="NVIDIA GeForce GTX 1060 6GB", seconds=3600.0 * hours)
    assert verdict(decided, "c") == expected
    assert f"150 epochs at 64×64 took {hours:.3g}, " in decided["c"]["reason"]


def test_hours_of_another_number_of_epochs_are_not_decided(measured):
    training = CELEBA.training.model_copy(update={"epochs": 30})
    decided = measured(CELEBA.model_copy(update={"training": training}), device="GeForce GTX 1060")
    assert verdict(decided, "c") == "not decided here"
    assert "here it is another number of epochs." in decided["c"]["reason"]


def test_special_cases(measured):
    assert verdict(measured(), "d") == "holds"
    assert verdict(measured(difference=1.0), "d") == "does not hold"


def test_a_dimension_reducing_flow_needs_such_a_model(measured):
    assert verdict(measured(), "e") == "not decided here"


def test_a_dimension_reducing_flow_learns(measured):
    decided = measured(FAMILY, swd={"fvae": [50, 50, 50], "fvae_reduced": [90, 80, 90]})
    assert verdict(decided, "e") == "holds"
    assert decided["e"]["numbers"]["fvae_reduced"]["d"] == 768
    assert "SWD 90.0, 80.0, 90.0. f-VAE: SWD 50.0" in decided["e"]["reason"]


@pytest.mark.parametrize(
    ("values", "flaw"),
    [
        ({"swd": {"fvae": [50, 50, 50], "fvae_reduced": [101, 102, 103]}}, "its samples' SWD is above 100.0"),
        ({"curves": {"fvae_reduced": [[3, 2, 1], [3, 2, 3], [3, 2, 1]]}}, "its held-out SWD × 10³ does not fall"),
        ({"bounds": {"fvae_reduced": [[6, 5, 4], [6, 5, 7], [6, 5, 4]]}}, "its held-out bits/dim does not fall"),
    ],
)
def test_a_dimension_reducing_flow_that_does_not_learn(measured, values, flaw):
    decided = measured(FAMILY, **values)
    assert verdict(decided, "e") == "does not hold"
    assert flaw in decided["e"]["reason"]


def test_an_experiment_without_a_kind_decides_what_it_can(measured):
    only = DEMO.model_copy(update={"models": {"fvae": DEMO.models["fvae"]}})
    decided = measured(only)
    assert decided["a"]["reason"] == "The experiment has no VAE."
    assert {verdict(decided, name) for name in ("a", "b", "d")} == {"not decided here"}


def test_the_markdown_says_where_test_images_are_training_images(measured):
    training = DEMO.training.model_copy(update={"hold_out": False})
    measured(DEMO.model_copy(update={"training": training}), seeds=(0,))
    assert "no number speaks of unseen images" in layout.claims("demo", "md").read_text()


def test_the_markdown_says_it_in_words(measured):
    measured(seeds=(0,))
    text = layout.claims("demo", "md").read_text()
    assert text.startswith("# The paper's claims in `demo`\n\nDecided from 1 seed by fixed rules.\n")
    assert "unseen images" not in text
    assert "**(d) VAE and flow are exact special cases of equation (6): holds.**" in text
