"""Claim (e): a model with d < D may be worse by a tenth at most."""

import pytest
from seeds import around, with_seeds

REDUCED = {"fvae_reduced": {"latent": {"dims": 768, "shapes": []}}}
PAIR = "(f-VAE, d < D against f-VAE)"


@pytest.fixture
def reduction(decided, experiments):
    """The claim about the reduced f-VAE of `family`."""

    def decide(distances, experiment=None, sizes=REDUCED, **values):
        found = decided(experiment or experiments["family"], sizes=sizes, swd=distances, **values)
        (claim,) = (each for each in found if each["name"] == "e")
        return claim

    return decide


@pytest.mark.parametrize(
    ("ratio", "spread", "verdict"),
    [
        (0.8, 0.01, "holds"),
        (1.0, 0.01, "holds"),  # a tie is no worse
        (1.05, 0.01, "holds"),
        (1.10, 0.01, "not decided here"),
        (1.0, 0.3, "not decided here"),
        (1.2, 0.01, "does not hold"),
    ],
)
def test_the_interval_lies_below_a_tenth_more_or_above(reduction, ratio, spread, verdict):
    found = reduction({"fvae": around(30.0, spread), "fvae_reduced": around(30.0 * ratio, spread)})
    assert found["verdict"] == verdict
    assert PAIR in found["claim"]
    assert found["numbers"]["dimensions"] == {"fvae_reduced": 768, "fvae": 3072}
    low, high = found["numbers"]["comparisons"][0]["interval"]
    assert (verdict == "holds") == (high < 1.1)
    assert (verdict == "does not hold") == (low > 1.1)


def test_a_reduced_mixture_is_compared_too(decided, experiments):
    sizes = REDUCED | {"mixture": {"latent": {"dims": 768, "shapes": []}}}
    distances = {"fvae": around(30.0), "fvae_reduced": around(25.0), "mixture": around(80.0)}
    found = [each for each in decided(experiments["family"], sizes=sizes, swd=distances) if each["name"] == "e"]
    verdicts = {
        each["claim"].removeprefix("Equation (6) also allows a dimension-reducing flow "): each for each in found
    }
    assert verdicts["(mixture (16) against f-VAE)"]["verdict"] == "does not hold"
    assert verdicts[PAIR]["verdict"] == "holds"
    assert len(verdicts) == 2


@pytest.mark.parametrize(
    ("reduced", "reason"),
    [
        ([25.0] * 5, "identical numbers"),
        ([*around(25.0)[:4], None], "no finite number for 1 of 5 seeds"),
    ],
)
def test_numbers_that_cannot_be_tested_stay_open(reduction, reduced, reason):
    found = reduction({"fvae": around(30.0), "fvae_reduced": reduced})
    assert found["verdict"] == "not decided here"
    assert reason in found["said"]


def test_a_single_seed_and_no_reduced_model_stay_open(reduction, claim, experiments):
    one = with_seeds(experiments["family"], 1)
    assert reduction({"fvae": [30.0], "fvae_reduced": [25.0]}, one)["verdict"] == "not decided here"
    found = claim("e")
    assert found["verdict"] == "not decided here"
    assert "no f-VAE or mixture with d < D" in found["said"]
