"""A match in seconds: what is measured, and that it is what the models are resolved to."""

import json
from itertools import pairwise

import pytest

from fvae import layout, params
from fvae.errors import UserError
from fvae.models.build import build
from fvae.models.match import resolve
from fvae.training import timing
from fvae.training.timing import match_seconds, step_seconds

EXPERIMENT = params.load().experiments["demo"]


def narrow(tolerance=0.2):
    """The demo at 16×16, matched in seconds."""
    values = EXPERIMENT.model_dump()
    values["data"] |= {"size": 16}
    values["training"] |= {"batch": 8}
    values["match"] = {"quantity": "seconds", "model": "fvae", "tolerance": tolerance}
    for spec in values["models"].values():
        for section in ("encoder", "flow"):
            if section in spec:
                spec[section] |= {"levels": 1, "steps": 1}
    return params.Experiment(**values)


def test_whole_training_steps_are_timed_in_turn():
    models = [build(narrow().models["fvae"], 16) for _ in range(2)]
    before = [model.sigma1.theta.item() for model in models]
    order = []
    for model in models:
        model.register_forward_pre_hook(lambda module, inputs: order.append(models.index(module)))
    seconds = step_seconds(models, narrow().training)
    assert min(seconds) > 0
    assert all(model.sigma1.theta.item() != start for model, start in zip(models, before, strict=True))
    assert order.count(0) == order.count(1)
    changes = sum(a != b for a, b in pairwise(order))
    assert changes >= 2 * timing.ROUNDS - 1


def test_the_size_found_is_the_one_whose_step_takes_as_long(tmp_path, monkeypatch):
    """With a clock that counts: the target's step takes 100, a Glow's its width."""
    monkeypatch.chdir(tmp_path)

    def clock(models, settings):
        return [float(model.flow.levels[0].layers[0].layers[2].network[0].out_channels) for model in models]

    experiment = narrow()
    experiment = experiment.model_copy(update={"models": {name: experiment.models[name] for name in ("glow", "fvae")}})
    monkeypatch.setattr(timing, "step_seconds", clock)
    found = match_seconds(experiment, "glow")
    assert (found["size"], found["seconds"], found["target_seconds"]) == (24, 24.0, 24.0)
    path = layout.match("demo", "glow")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(found))
    assert resolve("demo", experiment)["glow"].flow.width == 24


def test_a_size_out_of_reach_is_one_line(monkeypatch):
    monkeypatch.setattr(timing, "step_seconds", lambda models, settings: [1.0, 9.0][-len(models) :])
    monkeypatch.setattr("fvae.models.match.LARGEST", 8)
    with pytest.raises(UserError, match=r"models.glow: no size comes within 20% of fvae's 9 seconds"):
        match_seconds(narrow(), "glow")


def test_with_several_devices_one_process_times_its_share(monkeypatch):
    asked = []

    def step(model, settings):
        asked.append((settings.devices, settings.batch))
        return lambda: 1.0

    monkeypatch.setattr(timing, "_steps", step)
    step_seconds([None, None], narrow().training.model_copy(update={"devices": 4}))
    assert asked == [(1, 2), (1, 2)]
