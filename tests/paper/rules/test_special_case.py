"""Claim (d): the check of an identity."""

import pytest


def test_it_holds_by_construction_where_the_check_passes(claim):
    found = claim("d")
    assert found["verdict"] == "holds"
    assert found["said"].startswith("By construction, checked to 1e-9. Largest difference: VAE 5.0e-16, Glow 5.0e-16")


@pytest.mark.parametrize("model", ["vae", "glow"])
@pytest.mark.parametrize("difference", [1.0, None])
def test_one_run_that_fails_the_check_is_enough(claim, model, difference):
    found = claim("d", difference={model: [1e-12, 1e-12, difference, 1e-12, 1e-12]})
    assert found["verdict"] == "does not hold"
    assert "The check fails" in found["said"]


def test_it_needs_both_models(claim, experiments):
    demo = experiments["demo"]
    without = demo.model_copy(
        update={
            "models": {name: demo.models[name] for name in ("glow", "fvae")},
            "claims": demo.claims.model_copy(update={"vae": ()}),
        }
    )
    found = claim("d", without)
    assert found["verdict"] == "not decided here"
    assert "The experiment has no VAE." in found["said"]
