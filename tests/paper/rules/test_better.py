"""Claim (b): from made-up results that must hold, must not hold, and must stay open."""

import pytest
from seeds import around, with_claims, with_seeds

BETTER, WORSE = {"fvae": around(20.0), "glow": around(30.0)}, {"fvae": around(30.0), "glow": around(20.0)}


def test_a_lower_distance_holds_and_a_higher_one_does_not(claim):
    found = claim("b", swd=BETTER)
    assert found["verdict"] == "holds"
    (comparison,) = found["numbers"]["comparisons"]
    assert comparison["estimate"] == pytest.approx(2 / 3)
    assert "f-VAE / Glow: 0.667 times (95 % interval" in found["said"]
    assert "corrected" in found["said"]
    assert claim("b", swd=WORSE)["verdict"] == "does not hold"


def test_a_tie_does_not_hold(claim):
    found = claim("b", swd={"fvae": around(20.0, 0.002), "glow": around(20.1, 0.002)})
    assert found["verdict"] == "does not hold"
    assert "so near to 1 that it counts as equal" in found["said"]


def test_seeds_that_scatter_stay_open(claim):
    found = claim("b", swd={"fvae": around(20.0, 0.3), "glow": around(22.0, 0.3)})
    assert found["verdict"] == "not decided here"
    assert "More seeds" in found["change"]


@pytest.mark.parametrize(
    ("fvae", "reason"),
    [
        ([20.0] * 5, "identical numbers"),
        ([*around(20.0)[:4], None], "no finite number for 1 of 5 seeds"),
        ([*around(20.0)[:4], 0.0], "not positive"),
    ],
)
def test_numbers_that_cannot_be_tested_stay_open(claim, fvae, reason):
    found = claim("b", swd={"fvae": fvae, "glow": around(30.0)})
    assert found["verdict"] == "not decided here"
    assert reason in found["said"]
    assert found["change"]


@pytest.mark.parametrize("seeds", [1, 4])
def test_too_few_seeds_stay_open(claim, experiments, seeds):
    swd = {"fvae": around(20.0, seeds=seeds), "glow": around(30.0, seeds=seeds)}
    found = claim("b", with_seeds(experiments["demo"], seeds), swd=swd)
    assert found["verdict"] == "not decided here"
    assert "cannot tell a difference from chance" in found["said"]
    assert found["change"] == "At least 5 seeds of each model."


def test_fid_decides_where_every_compared_run_has_it(claim):
    fid = {model: around(10.0) for model in ("vae", "glow", "fvae")}
    found = claim("b", swd=BETTER, fid=fid | {"fvae": around(15.0)})
    assert found["verdict"] == "does not hold"
    assert "Decided by FID, which every run has." in found["said"]


def test_without_fid_the_portrait_distance_decides_and_then_swd(claim):
    portrait = {"vae": around(775.0), "glow": around(133.0), "fvae": around(273.0)}
    found = claim("b", swd=BETTER, portrait=portrait)
    assert found["verdict"] == "does not hold"
    assert "Decided by the portrait distance, for FID is n/a (no weights)." in found["said"]
    found = claim("b", swd=BETTER, portrait={}, portrait_reason="These are photographs.")
    assert found["verdict"] == "holds"
    assert "Decided by SWD, for FID is n/a (no weights) and the portrait distance is n/a (These are" in found["said"]


def test_a_distance_that_is_not_finite_does_not_hand_the_decision_to_another(claim):
    portrait = {"vae": around(100.0), "glow": around(133.0), "fvae": [*around(273.0)[:4], None]}
    found = claim("b", swd=BETTER, portrait=portrait)
    assert found["verdict"] == "not decided here"
    assert "no finite number for 1 of 5 seeds" in found["said"]


def test_models_of_another_size_or_length_are_not_compared(claim):
    other = {"parameters": 2 * 10**6, "effective_parameters": 2 * 10**6, "macs": 2 * 10**7}
    found = claim("b", swd=BETTER, sizes={"glow": other})
    assert found["verdict"] == "not decided here"
    assert "agree within 10 % neither in parameters nor in multiply-accumulates" in found["said"]
    for quantity, near in (("parameters", 1_050_000), ("effective_parameters", 950_000), ("macs", 10_500_000)):
        assert claim("b", swd=BETTER, sizes={"glow": other | {quantity: near}})["verdict"] == "holds"
    found = claim("b", swd=BETTER, images={"glow": 66_000})
    assert found["verdict"] == "not decided here"
    assert "did not see the same number of images" in found["said"]


def test_every_listed_glow_stands_by_itself(decided, experiments):
    demo = experiments["demo"]
    both = demo.model_copy(update={"models": demo.models | {"glow_parameters": demo.models["glow"]}})
    both = with_claims(both, glow=("glow", "glow_parameters"))
    swd = BETTER | {"glow_parameters": around(15.0)}
    found = {claim["claim"]: claim["verdict"] for claim in decided(both, swd=swd) if claim["name"] == "b"}
    assert [verdict for _, verdict in sorted(found.items())] == ["holds", "does not hold"]
    assert all("f-VAE against " in each for each in found)


def test_where_params_yaml_names_none_nothing_is_decided(claim, experiments):
    found = claim("b", with_claims(experiments["demo"], glow=()))
    assert found["verdict"] == "not decided here"
    assert "params.yaml names no model under claims.glow." in found["said"]
