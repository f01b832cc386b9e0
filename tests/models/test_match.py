"""Sizes solved for: a match within its tolerance, by every quantity, or one clear line."""

from functools import cache

import pytest
from family import SPECS, changed

from fvae import params
from fvae.errors import UserError
from fvae.models import match
from fvae.models.build import build, describe, effective_parameters, macs
from fvae.models.match import resized, resolve, solve
from fvae.params import Match, free_sizes

DEMO = params.load().experiments["demo"]


def with_models(quantity="parameters", tolerance=0.05, **models):
    """An experiment at 16×16 whose other models are matched to a small f-VAE."""
    match = Match(quantity=quantity, model="fvae", tolerance=tolerance)
    data = DEMO.data.model_copy(update={"size": 16})
    return DEMO.model_copy(update={"models": {"fvae": SPECS["fvae"], **models}, "match": match, "data": data})


def glow(**changes):
    return changed(SPECS["glow"], flow=changes)


@cache
def cost(quantity, spec, size):
    """What `match` counts; experiments have models in common, and it takes a second."""
    return {"macs": macs, "parameters": effective_parameters}[quantity](build(spec, size))


@pytest.mark.xdist_group("celeba64")
@pytest.mark.parametrize("name", list(params.load().experiments))
def test_matched_models_agree_in_what_the_experiment_matches(name, monkeypatch):
    """Found in a few trials, for each builds a model."""
    trials = []
    monkeypatch.setattr(match, "resized", lambda spec, k: trials.append(k) or resized(spec, k))
    monkeypatch.setattr(match, "build", lambda spec, size: (spec, size))
    monkeypatch.setattr(match, "macs", lambda made: cost("macs", *made))
    monkeypatch.setattr(match, "effective_parameters", lambda made: cost("parameters", *made))
    match._counted.cache_clear()
    experiment = params.load().experiments[name]
    sizes = {model: describe(spec, experiment.data.size) for model, spec in resolve(experiment).items()}
    for model, spec in experiment.models.items():
        if free_sizes(spec):
            quantity = {"parameters": "effective_parameters", "macs": "macs"}[spec.match or experiment.match.quantity]
            goal = sizes[experiment.match.model][quantity]
            assert abs(sizes[model][quantity] / goal - 1) <= experiment.match.tolerance
    assert 0 < len(set(trials)) <= 8 * len(experiment.models)


@pytest.mark.parametrize("quantity", ["parameters", "macs"])
@pytest.mark.parametrize(
    ("free", "section", "size"),
    [
        (glow(width="match"), "flow", "width"),
        (glow(steps="match", width=16), "flow", "steps"),
        (changed(SPECS["vae"], encoder={"expansion": "match"}), "encoder", "expansion"),
        (changed(SPECS["vae"], encoder={"steps": "match", "expansion": 0.5, "latent": 6}), "encoder", "steps"),
        (changed(SPECS["mixture"], flow={"width": "match"}), "flow", "width"),
    ],
)
def test_a_width_or_a_depth_is_the_nearest_there_is(quantity, free, section, size):
    experiment = with_models(quantity, tolerance=0.5, free=free)
    resolved = resolve(experiment)
    goal = describe(resolved["fvae"], 16)[quantity]
    found = getattr(getattr(resolved["free"], section), size)
    k = round(100 * found) if size == "expansion" else found

    def distance(number):
        return abs(describe(resized(free, number), 16)[quantity] - goal)

    assert distance(k) <= min(distance(k + 1), distance(max(1, k - 1)))
    other = resolved["free"].model_copy(update={section: getattr(free, section)})
    assert other == free  # nothing else was touched


@pytest.mark.parametrize("goal", [0.6, 1, 2, 3, 7.4, 8, 9, 100, 65000])
def test_solving_finds_the_nearest_size(goal):
    match = Match(quantity="parameters", model="fvae", tolerance=0.99)
    found = solve("glow", glow(width="match"), match, goal, lambda spec: float(spec.flow.width))
    assert abs(found - goal) <= 0.5


def test_a_match_out_of_reach_is_one_clear_line():
    with pytest.raises(UserError, match=r"models.glow: no size comes within 5% of fvae's 17,294 parameters"):
        resolve(with_models(glow=glow(levels=3, steps=40, width="match")))


def test_a_model_whose_size_is_not_solved_for_is_one_clear_line():
    with pytest.raises(UserError, match="is 'match': solve for it first"):
        build(glow(width="match"), 16)
