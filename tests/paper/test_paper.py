"""Tables and the parts of figures: what is printed is what was measured."""

import json

import numpy as np
import pandas as pd
import pytest

from fvae import layout, params
from fvae.errors import UserError
from fvae.evaluation.metrics import FROM_FEATURES
from fvae.paper import make_table, style
from fvae.paper.metrics import mean_and_spread
from fvae.paper.table import escape

EXPERIMENT = params.load("params.yaml").experiments["demo"]


def test_a_sheet_puts_images_in_rows_with_gaps():
    images = np.zeros((2, 3, 3, 4, 5), np.uint8)
    images[1, 2] = 7
    picture = style.sheet(images, gap=2)
    assert picture.shape == (2 * 4 + 2, 3 * 5 + 2 * 2, 3)
    assert (picture[6:, 14:] == 7).all()
    assert (picture[4:6] == 255).all()
    assert (picture[:4, :5] == 0).all()
    assert (picture[:, 5:7] == 255).all()


def test_too_few_images_for_a_sheet_are_one_line():
    with pytest.raises(UserError, match=r"sampling.random.images: the figure needs 6, there are 5"):
        style.first(np.zeros((5, 3, 4, 4), np.uint8), 2, 3, "random")


def test_colours_and_lines_differ_for_every_model():
    pairs = list(zip(style.COLOURS, style.LINES, strict=True))
    assert len(set(pairs)) == len(pairs) >= len(EXPERIMENT.models)


def test_mean_and_spread_over_seeds():
    assert mean_and_spread([2.0], 2) == "2.00"
    assert mean_and_spread([1.0, 2.0, 3.0], 1) == "2.0 ± 1.0"


def test_latex_has_its_own_signs():
    cells = escape(pd.DataFrame({"bits/dim ↓": ["≤ 3.1 ± 0.2"]}))
    assert cells.columns[0] == r"bits/dim $\downarrow$"
    assert cells.iloc[0, 0] == r"$\leq$ 3.1 $\pm$ 0.2"


def test_the_table_of_metrics_says_what_each_number_is(tmp_path, monkeypatch):
    """Two seeds: mean ± standard deviation; a bound is marked; FID without weights is n/a with the reason."""
    monkeypatch.chdir(tmp_path)
    experiment = EXPERIMENT.model_copy(update={"seeds": (0, 1)})
    for index, model in enumerate(experiment.models):
        for seed in experiment.seeds:
            run = layout.Run("demo", model, seed)
            exact = model == "glow"
            values = {
                "bpd": {
                    "bpd": 3.0 + index + 0.1 * seed,
                    "standard_error": 0.01,
                    "bound": not exact,
                    "images": 50,
                    "elbo": None if exact else 9.0,
                },
                "swd": {
                    "swd": {"32": 10.0 + seed, "16": 20.0},
                    "mean": 15.0,
                    "images": 40,
                    "training_images": {"swd": {"32": 1.0, "16": 2.0}, "mean": 1.5},
                },
                "fid": {**dict.fromkeys(FROM_FEATURES), "reason": "no weights"},
                "sharpness": {
                    "high_frequency_db": -1.5,
                    "reconstructions": {"psnr": None if exact else 20.0, "ssim": 0.9, "images": 30},
                },
            }
            for name, value in values.items():
                run.metric(name).parent.mkdir(parents=True, exist_ok=True)
                run.metric(name).write_text(json.dumps(value))
    make_table("metrics", "demo", experiment)
    numbers = pd.read_csv(layout.table("demo", "metrics", "csv"))
    assert len(numbers) == 6
    assert numbers["bpd"].tolist() == pytest.approx([3.0, 3.1, 4.0, 4.1, 5.0, 5.1])
    printed = layout.table("demo", "metrics", "md").read_text()
    assert "≤ 3.050 ± 0.071" in printed
    assert "| 4.050 ± 0.071" in printed
    assert "10.5 ± 0.7" in printed
    assert "≤ 9.000 ± 0.000" in printed
    assert "FID is n/a: no weights" in printed
    assert "training images" in printed
    assert "-1.5 ± 0.0 dB" in printed
    assert "| exact" in printed
    assert "20.0 ± 0.0 dB" in printed
    assert "2 seeds: mean ± standard deviation" in printed
    assert r"$\leq$ 3.050" in layout.table("demo", "metrics", "tex").read_text()
