"""Claim (b, speed): curves by their level and by a threshold, from made-up validations."""

import math

import numpy as np
import pytest
from seeds import around, curves, with_seeds

from fvae.paper.rules.speed import Curve

FAST, SLOW = [62, 34, 31, 30.5, 30], [62, 50, 40, 33, 29]  # the slow one ends better
LEVEL, SECONDS = "b, level over images", "b, level over seconds"
TO_THRESHOLD = "b, images to the threshold"


def test_the_level_is_the_mean_of_the_logarithm_over_the_range():
    curve = Curve(np.array([10.0, 20, 40, 50]), np.array([64.0, 32, 8, 4]))
    dense = np.linspace(15, 45, 100_001)
    logs = np.interp(dense, curve.at, np.log(curve.distance))
    assert curve.level(15, 45) == pytest.approx(math.exp(logs.mean()), rel=1e-4)
    assert Curve(curve.at * 7, curve.distance * 3).level(105, 315) == pytest.approx(3 * curve.level(15, 45))


def test_a_threshold_is_reached_on_the_line_of_the_logarithm():
    curve = Curve(np.array([10.0, 20, 40, 50]), np.array([64.0, 32, 8, 4]))
    assert curve.reached(16, 10, 50) == pytest.approx(30)
    assert curve.reached(16, 35, 50) == 35  # earlier than the range
    assert curve.reached(64, 10, 50) == 10
    assert curve.reached(16, 10, 25) == math.inf  # later than the range
    assert curve.reached(3, 10, 50) == math.inf


def test_whoever_ends_better_is_not_faster_for_that(claim):
    """The curve that is ahead from the second validation on, and behind at the last alone, is the faster one."""
    values = {"curve": {"fvae": curves(FAST), "glow": curves(SLOW)}}
    assert claim(LEVEL, **values)["verdict"] == "holds"
    assert claim(SECONDS, **values)["verdict"] == "holds"
    other = {"curve": {"fvae": curves(SLOW), "glow": curves(FAST)}}
    assert claim(LEVEL, **other)["verdict"] == "does not hold"


def test_equal_curves_do_not_hold(claim):
    found = claim(LEVEL, curve={"fvae": curves(FAST, 0.002), "glow": curves([1.001 * d for d in FAST], 0.002)})
    assert found["verdict"] == "does not hold"
    assert "counts as equal" in found["said"]


def test_curves_that_scatter_stay_open(claim):
    found = claim(LEVEL, curve={"fvae": curves(FAST, 0.4), "glow": curves(SLOW, 0.4)})
    assert found["verdict"] == "not decided here"


def test_images_and_seconds_are_tests_of_their_own(decided):
    """Ahead at each number of images, behind at each number of seconds, for each step takes five times as long."""
    values = {"fvae": around(2500.0), "glow": around(500.0)}
    steep = [100, 60, 50, 45, 42, 40, 38, 36, 34, 33, 32, 31, 30.5, 30.2, 30]
    behind = [1.1 * distance for distance in steep]
    found = {
        each["name"]: each for each in decided(curve={"fvae": curves(steep), "glow": curves(behind)}, seconds=values)
    }
    assert found[LEVEL]["verdict"] == "holds"
    assert found[SECONDS]["verdict"] == "not decided here"  # too few of its validations in Glow's range
    assert "validations of a run lie in the range" in found[SECONDS]["said"]
    values["fvae"] = around(1500.0)
    found = {
        each["name"]: each for each in decided(curve={"fvae": curves(steep), "glow": curves(behind)}, seconds=values)
    }
    assert found[LEVEL]["verdict"] == "holds"
    assert found[SECONDS]["verdict"] == "does not hold"


def test_seconds_of_different_devices_are_not_compared(decided):
    values = {"curve": {"fvae": curves(FAST), "glow": curves(SLOW)}, "device": {"fvae": "a kettle"}}
    found = {each["name"]: each for each in decided(**values)}
    assert found[LEVEL]["verdict"] == "holds"
    for name in (SECONDS, "b, seconds to the threshold"):
        assert found[name]["verdict"] == "not decided here"
        assert "different devices: a kettle, a toaster" in found[name]["said"]


@pytest.mark.parametrize(
    ("fvae", "reason"),
    [
        ([*curves(FAST)[:4], [62, 34, None, 30.5, 30]], "no finite and positive SWD"),
        ([FAST] * 5, "identical numbers"),
        ([[62, 34]] * 5, "Fewer than 3 validations"),
    ],
)
def test_curves_that_cannot_be_tested_stay_open(claim, fvae, reason):
    found = claim(LEVEL, curve={"fvae": fvae, "glow": curves(SLOW)})
    assert found["verdict"] == "not decided here"
    assert reason in found["said"]


def test_a_single_seed_stays_open(decided, experiments):
    found = decided(with_seeds(experiments["demo"], 1), curve={"fvae": [FAST], "glow": [SLOW]})
    for each in (claim for claim in found if claim["name"].startswith("b, ")):
        assert each["verdict"] == "not decided here"
        assert "1 seed cannot tell" in each["said"]


def test_the_portrait_distance_of_validations_goes_before_swd(claim):
    portraits = {model: curves([50, 40, 30]) for model in ("vae", "glow")} | {"fvae": curves([40, 20, 10])}
    values = {"curve": {"fvae": curves([60, 50, 40]), "glow": curves([40, 30, 20]), "vae": curves([40, 30, 20])}}
    assert claim(LEVEL, **values)["verdict"] == "does not hold"
    found = claim(LEVEL, portrait_curve=portraits, **values)
    assert found["verdict"] == "holds"
    assert "Mean portrait distance over images" in found["said"]


def arrivals(ours, theirs, seeds):
    return {"fvae": curves(ours, seeds=seeds), "glow": curves(theirs, seeds=seeds), "vae": curves(ours, seeds=seeds)}


def test_five_seeds_are_too_few_for_the_threshold_beside_the_other_tests(claim):
    found = claim(TO_THRESHOLD, curve=arrivals(FAST, SLOW, 5))
    assert found["verdict"] == "not decided here"
    assert "times the number of comparisons" in found["said"]
    assert found["change"] == "At least 6 seeds of each model."
    assert len(found["numbers"]["comparisons"][0]["values"]["fvae"]) == 5  # they are reported


def test_with_more_seeds_the_threshold_decides(claim, experiments):
    eight = with_seeds(experiments["demo"], 8)
    threshold = eight.claims.threshold.swd
    assert threshold == 40
    assert claim(TO_THRESHOLD, eight, curve=arrivals(FAST, SLOW, 8))["verdict"] == "holds"
    assert claim(TO_THRESHOLD, eight, curve=arrivals(SLOW, FAST, 8))["verdict"] == "does not hold"
    assert claim(TO_THRESHOLD, eight, curve=arrivals(FAST, FAST, 8))["verdict"] == "not decided here"


def test_runs_that_never_reach_the_threshold_count_as_later(claim, experiments):
    found = claim(TO_THRESHOLD, with_seeds(experiments["demo"], 8), curve=arrivals(FAST, [90, 80, 70, 65, 60], 8))
    assert found["verdict"] == "holds"
    assert "Glow later, later" in found["said"]
    assert found["numbers"]["comparisons"][0]["values"]["glow"] == [None] * 8
    found = claim(TO_THRESHOLD, with_seeds(experiments["demo"], 8), curve=arrivals([90, 80, 70], [90, 80, 70], 8))
    assert found["verdict"] == "not decided here"
    assert "All runs tie" in found["said"]
