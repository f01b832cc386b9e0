"""The figure of factors: each share at its place, and nothing of photographs."""

import copy

import matplotlib.pyplot as plt
import numpy as np
import pytest
from measurements import SHARES, write_json, write_metrics

from fvae import layout, params
from fvae.errors import UserError
from fvae.paper import FIGURES, OF_PORTRAITS, factors, figures, make_figure, style

PARAMS = params.load("params.yaml")
EXPERIMENT = PARAMS.experiments["demo"].model_copy(update={"seeds": (0, 1)})


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Two seeds of each model, which differ in the share of bald heads."""
    monkeypatch.chdir(tmp_path)
    for place, model in enumerate(EXPERIMENT.models):
        for seed in EXPERIMENT.seeds:
            shares = copy.deepcopy(SHARES)
            shares["hair"]["bald"] = 0.2 * place + 0.1 * seed
            write_metrics(layout.Run("demo", model, seed), portrait_distance={"shares": shares})
    yield
    plt.close("all")


def test_every_share_is_at_its_place(measured):
    with style.context(EXPERIMENT.figures):
        figure = factors.draw("demo", EXPERIMENT)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes}
    assert list(panels) == ["hair", "others", "beard", "glasses", "neckline", "texture"]
    hair = panels["hair"]
    assert [bar.get_width() for bar in hair.patches] == list(SHARES["hair"].values())
    lines = {line.get_label(): line.get_xdata() for line in hair.lines}
    np.testing.assert_allclose(lines.pop("test images: share as read"), list(SHARES["hair"].values()))
    for place, model in enumerate(EXPERIMENT.models):
        np.testing.assert_allclose(lines[style.label(model)], [0.2 * place + 0.05, 0.6, 0.3])
    assert [text.get_text() for text in panels["others"].get_yticklabels()] == ["hat"]
    assert panels["others"].patches[0].get_width() == SHARES["hat"]["worn"]


def test_of_photographs_there_is_one_line(measured):
    run = layout.Run("demo", "vae", 0)
    write_json(
        run.metric("portrait_distance"), {"portrait_distance": None, "standard_deviation": None, "reason": "photos"}
    )
    with pytest.raises(UserError, match=r"portrait_distance\.json: photos"):
        factors.draw("demo", EXPERIMENT)


@pytest.mark.parametrize("name", OF_PORTRAITS)
def test_only_experiments_of_portraits_have_the_figure(name):
    for experiment_name, experiment in PARAMS.experiments.items():
        portraits = experiment.data.kind == "portraits"
        assert (name in figures(experiment)) == portraits
        assert len(figures(experiment)) == len(FIGURES) - (0 if portraits else len(OF_PORTRAITS))
        if not portraits:
            with pytest.raises(UserError, match=f"the figure '{name}' is only of drawn portraits"):
                make_figure(name, experiment_name, experiment)
