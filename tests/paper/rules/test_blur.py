"""Claim (a): from made-up results that must hold, must not hold, and must stay open."""

import pytest
from seeds import around, with_seeds

SHARP, BLURRED = {"fvae": around(0.9), "vae": around(0.3)}, {"fvae": around(0.3), "vae": around(0.9)}
NEAR, FAR = {"fvae": around(0.5), "vae": around(6.0)}, {"fvae": around(6.0), "vae": around(0.5)}


def test_more_detail_and_less_deviation_hold(claim):
    found = claim("a", detail=SHARP, deviation=NEAR)
    assert found["verdict"] == "holds"
    detail, deviation = found["numbers"]["comparisons"]
    assert detail["estimate"] == pytest.approx(0.6)
    assert detail["interval"][0] < 0.6 < detail["interval"][1]
    assert deviation["estimate"] == pytest.approx(-5.5)
    assert detail["p"]["difference"] < detail["corrected p"]["difference"] < 1e-3
    assert "f-VAE minus VAE: +0.600 (95 % interval" in found["said"]
    assert "Plausible samples have SWD × 10³ at most 80; means: f-VAE 30.00, VAE 30.00." in found["said"]


@pytest.mark.parametrize(
    ("detail", "deviation"),
    [
        (BLURRED, NEAR),
        (SHARP, FAR),
        (BLURRED, FAR),
        ({"fvae": around(0.9, 0.001), "vae": around(0.91, 0.001)}, NEAR),  # a tie
        (SHARP, {"fvae": around(1.0, 0.001), "vae": around(1.1, 0.001)}),
    ],
)
def test_one_of_them_the_other_way_or_equal_does_not_hold(claim, detail, deviation):
    assert claim("a", detail=detail, deviation=deviation)["verdict"] == "does not hold"


@pytest.mark.parametrize(
    ("detail", "deviation"),
    [
        (SHARP, {"fvae": around(2.0, 0.4), "vae": around(2.1, 0.4)}),
        ({"fvae": around(0.6, 0.4), "vae": around(0.5, 0.4)}, NEAR),
    ],
)
def test_seeds_that_scatter_stay_open(claim, detail, deviation):
    found = claim("a", detail=detail, deviation=deviation)
    assert found["verdict"] == "not decided here"
    assert "More seeds" in found["change"]


def test_noise_that_hides_blur_is_no_sharpness(claim):
    """A model that adds noise to blurred images reads near 0 dB of power; its detail is gone all the same."""
    found = claim("a", detail=BLURRED, deviation={"fvae": around(0.1), "vae": around(4.3)})
    assert found["verdict"] == "does not hold"
    assert "keep less detail" in found["said"]


@pytest.mark.parametrize("model", ["fvae", "vae"])
@pytest.mark.parametrize("detail", [SHARP, BLURRED])
def test_samples_that_are_no_faces_are_neither_sharp_nor_blurry(claim, model, detail):
    found = claim("a", detail=detail, deviation=NEAR, swd={model: around(122.0)})
    assert found["verdict"] == "not decided here"
    assert f"neither sharp nor blurry: {'f-VAE' if model == 'fvae' else 'VAE'}." in found["said"]
    assert found["change"] == "Models whose samples pass."


def test_the_portrait_distance_and_then_precision_are_the_gate_before_swd(claim):
    poor = {"vae": around(122.0)}
    portrait = {model: around(10.0) for model in ("vae", "glow", "fvae")}
    fid = {model: around(10.0) for model in ("vae", "glow", "fvae")}
    values = {"detail": SHARP, "deviation": NEAR, "swd": poor}
    assert claim("a", portrait=portrait, **values)["verdict"] == "holds"
    assert claim("a", portrait=portrait | {"vae": around(775.0)}, **values)["verdict"] == "not decided here"
    none = {"portrait": {}, "portrait_reason": "These are photographs."}
    assert claim("a", fid=fid, **none, **values)["verdict"] == "holds"
    found = claim("a", fid=fid, precision={"fvae": [0.1] * 5}, **none, **values)
    assert found["verdict"] == "not decided here"
    assert "precision at least 0.3" in found["said"]


def test_a_gate_that_is_not_finite_is_not_passed(claim):
    portrait = {model: around(10.0) for model in ("vae", "glow")} | {"fvae": [*around(10.0)[:4], None]}
    assert claim("a", detail=SHARP, deviation=NEAR, portrait=portrait)["verdict"] == "not decided here"


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"fvae": [0.9] * 5, "vae": around(0.3)}, "identical numbers"),
        ({"fvae": [*around(0.9)[:4], None], "vae": around(0.3)}, "no finite number for 1 of 5 seeds"),
    ],
)
def test_numbers_that_cannot_be_tested_stay_open(claim, detail, reason):
    found = claim("a", detail=detail, deviation=FAR)
    assert found["verdict"] == "not decided here"
    assert reason in found["said"]


def test_a_single_seed_stays_open(claim, experiments):
    found = claim("a", with_seeds(experiments["demo"], 1), detail={"fvae": [0.9], "vae": [0.3]})
    assert found["verdict"] == "not decided here"
    assert "1 seed cannot tell a difference from chance" in found["said"]
