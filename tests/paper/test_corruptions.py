"""The figure of corruptions: distances divided by their floors, over strengths."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from measurements import write_corruptions

from fvae import params
from fvae.errors import UserError
from fvae.paper import corruptions, figures, style

ROOT = Path(__file__).parents[2]
EXPERIMENT = params.load("params.yaml").experiments["demo"]


def test_distances_are_divided_by_their_floors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_corruptions("demo")
    with style.context(EXPERIMENT.figures):
        figure = corruptions.draw("demo", EXPERIMENT)
    shown = {axes.get_title(): axes for axes in figure.axes if axes.get_title()}
    assert list(shown) == ["blur", "contrast", "only bald", "noise"]
    for name, swd in (("blur", [2, 4]), ("contrast", [1, 2])):
        lines = {line.get_label(): line for line in shown[name].lines}
        np.testing.assert_allclose(lines["portrait distance"].get_ydata(), [2, 4])
        np.testing.assert_allclose(lines["SWD"].get_ydata(), swd)
        np.testing.assert_allclose(lines["SWD"].get_xdata(), [0.5, 1.0])
        np.testing.assert_allclose(lines["Fréchet distance, random features"].get_ydata(), [3, 5])
    limits = {axes.get_ylim() for axes in shown.values()}
    ((low, high),) = limits  # the same in all panels
    assert low < 1
    assert high > 4
    plt.close(figure)


def test_photographs_have_no_portrait_distance_and_shares_are_not_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_corruptions("lfw64", portraits=False)
    experiment = params.load(ROOT / "params.yaml").experiments["lfw64"]
    assert "corruptions" in figures(experiment)
    with style.context(experiment.figures):
        figure = corruptions.draw("lfw64", experiment)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["SWD", "Fréchet distance, random features"]
    plt.close(figure)


def test_what_is_not_measured_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"corruptions\.json: missing; make it first: python -m fvae corruptions"):
        corruptions.draw("demo", EXPERIMENT)
