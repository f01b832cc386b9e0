"""Tables and the parts of figures: what is printed is what was measured."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from measurements import MEASURED_FID, NO_WEIGHTS, floor, write_json, write_matched, write_metrics, write_training

from fvae import layout, params
from fvae.errors import UserError
from fvae.paper import make_table, style
from fvae.paper.table import escape, mean_and_spread

EXPERIMENT = params.load("params.yaml").experiments["demo"]
FAMILY = params.load("params.yaml").experiments["family"]


def test_a_sheet_puts_images_in_rows_with_gaps():
    images = np.zeros((2, 3, 3, 4, 5), np.uint8)
    images[1, 2] = 7
    picture = style.sheet(images, gap=2)
    assert picture.shape == (2 * 4 + 2, 3 * 5 + 2 * 2, 3)
    assert (picture[6:, 14:] == 7).all()
    assert (picture[4:6] == 255).all()
    assert (picture[:4, :5] == 0).all()
    assert (picture[:, 5:7] == 255).all()


def test_devices_are_named_once_and_one_thread_is_singular():
    costs = [{"device": f"a processor, {threads} threads"} for threads in (11, 1, 1, 2)] + [{"device": "a GPU"}]
    named = [f"a processor, {threads}" for threads in ("1 thread", "11 threads", "2 threads")]
    assert style.devices(costs) == ["a GPU", *named]


def test_too_few_images_for_a_sheet_are_one_line():
    with pytest.raises(UserError, match=r"sampling.random.images: the figure needs 6, there are 5"):
        style.first(np.zeros((5, 3, 4, 4), np.uint8), 2, 3, "random")


@pytest.mark.parametrize("experiment", ["demo", "family", "faces64"])
@pytest.mark.parametrize("columns", [4, 5])
def test_a_legend_is_as_wide_as_the_figure_at_most(experiment, columns):
    names = [style.label(model) for model in params.load("params.yaml").experiments[experiment].models]
    figure = Figure(figsize=(5.5, 3), layout="constrained")
    lines = figure.add_subplot().plot(np.zeros((2, len(names))))
    style.legend(figure, lines, [f"{name} (≤)" for name in names], columns)
    figure.draw_without_rendering()
    (made,) = figure.legends
    assert figure.bbox.x0 <= made.get_window_extent().x0
    assert made.get_window_extent().x1 <= figure.bbox.x1
    assert [text.get_text() for text in made.get_texts()] == [f"{name} (≤)" for name in names]


def test_colours_and_lines_differ_for_every_model():
    for kinds in (style.LINES, style.MARKERS):
        assert len({style.pair(index, kinds) for index in range(56)}) == 56


def test_a_model_looks_the_same_in_every_experiment():
    own = style.pairs(["mine", "fvae", "yours"])
    assert own["fvae"] == style.pairs(FAMILY.models)["fvae"]
    assert len(set(own.values())) == 3
    assert not {own["mine"], own["yours"]} & set(style.pairs(FAMILY.models).values())


def test_mean_and_spread_over_seeds():
    assert mean_and_spread([2.0], 2) == "2.00"
    assert mean_and_spread([1.0, 2.0, 3.0], 1) == "2.0 ± 1.0"
    assert mean_and_spread([1000.0, 3000.0], 0) == "2,000 ± 1,414"
    assert mean_and_spread([1.0, None], 0) == "n/a"


def test_of_one_seed_the_spread_is_that_of_its_draws():
    assert mean_and_spread([0.002], 1, 1e3, of_one=0.0005) == "2.0 ± 0.5"
    assert mean_and_spread([1.0, 3.0], 1, of_one=9.0) == "2.0 ± 1.4"
    assert mean_and_spread([None], 1, of_one=9.0) == "n/a"


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
            levels = {"32": 10.0 + seed, "16": 20.0}
            write_metrics(run, exact=model == "glow", bpd={"bpd": 3.0 + index + 0.1 * seed}, swd={"swd": levels})
    write_json(layout.floor("demo"), floor())
    make_table("metrics", "demo", experiment)
    numbers = pd.read_csv(layout.table("demo", "metrics", "csv"))
    assert numbers["model"].tolist()[-1] == "real images"
    assert numbers["swd_mean"].tolist()[-1] == 1.5
    numbers = numbers[:-1]
    assert numbers["seed"].tolist() == [0, 1] * 6
    assert numbers["bpd"].tolist() == pytest.approx([3.0, 3.1, 4.0, 4.1, 5.0, 5.1, 6.0, 6.1, 7.0, 7.1, 8.0, 8.1])
    printed = layout.table("demo", "metrics", "md").read_text()
    assert "≤ 3.050 ± 0.071" in printed
    assert "| 5.050 ± 0.071" in printed
    assert "10.5 ± 0.7" in printed
    assert "≤ 9.000 ± 0.000" in printed
    assert "FID is n/a: no weights" in printed
    for part in ("-1.5 ± 0.0", "-2.5 ± 0.0", "| exact", "20.0 ± 0.0", "0.900 ± 0.000", "| n/a"):
        assert part in printed, part
    assert "of 40 samples and of 30 reconstructed test images" in printed
    assert "2 seeds: mean ± standard deviation over seeds. Each seed's number of samples is the mean over 5" in printed
    assert r"$\leq$ 3.050" in layout.table("demo", "metrics", "tex").read_text()


def test_of_photographs_the_table_of_metrics_has_no_portrait_distance(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    none = {"portrait_distance": None, "standard_deviation": None, "reason": "photographs"}
    for model in EXPERIMENT.models:
        write_metrics(layout.Run("demo", model, 0), portrait_distance=none)
    write_json(layout.floor("demo"), floor() | {"portrait_distance": None})
    make_table("metrics", "demo", EXPERIMENT)
    printed = layout.table("demo", "metrics", "md").read_text()
    assert "SWD mean" in printed
    assert "ortrait" not in printed
    assert "Fréchet distance, random features ↓" in printed
    assert printed.count("7.50 ± 0.25") == len(EXPERIMENT.models)
    assert "1.25 ± 0.06" in printed
    assert pd.read_csv(layout.table("demo", "metrics", "csv"))["portrait_distance"].isna().all()


def test_with_one_seed_the_table_of_metrics_prints_the_spread_over_draws_and_the_floor_with_its_own(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for model in EXPERIMENT.models:
        write_metrics(layout.Run("demo", model, 0), exact=model == "glow", fid=MEASURED_FID)
    write_json(layout.floor("demo"), floor(MEASURED_FID | {"fid": 3.0, "images": 800}))
    make_table("metrics", "demo", EXPERIMENT)
    printed = layout.table("demo", "metrics", "md").read_text()
    fvae, real = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in printed.splitlines()
        if line.startswith(("| f-VAE ", "| real images"))
    )
    assert fvae[1:6] == ["≤ 4.000", "≤ 9.000", "10.0 ± 0.3", "20.0 ± 0.4", "15.0 ± 0.6"]
    assert fvae[6:9] == ["12.0 ± 0.5", "10.0 ± 0.2", "-1.5 ± 0.1"]
    assert real[1:9] == ["", "", "1.0 ± 0.1", "2.0 ± 0.2", "1.5 ± 0.1", "1.2 ± 0.1", "3.0 ± 0.2", ""]
    for part in (
        "38 random training images against as many random test images, ± the standard deviation over 3 random subsets.",
        "1 seed. Each number of samples is the mean over 5 draws of samples from the same weights; ± the standard",
        "FID of real images: 800 test images in place of samples, ± the standard deviation over 2 random subsets.",
    ):
        assert printed.count(part) == 1, part
    numbers = pd.read_csv(layout.table("demo", "metrics", "csv"))
    assert numbers["swd_mean_standard_deviation"].tolist() == [0.6] * 6 + [0.15]
    assert numbers["fid_standard_deviation"].tolist() == [0.2] * 7


@pytest.mark.parametrize("hold_out", [True, False])
def test_tables_say_where_test_images_are_training_images(tmp_path, monkeypatch, hold_out):
    monkeypatch.chdir(tmp_path)
    training = EXPERIMENT.training.model_copy(update={"hold_out": hold_out})
    experiment = EXPERIMENT.model_copy(update={"training": training})
    for model in experiment.models:
        write_metrics(layout.Run("demo", model, 0), exact=model == "glow")
    write_json(layout.floor("demo"), floor())
    for name in ("metrics", "fidelity", "random_features"):
        make_table(name, "demo", experiment)
        said = "no number speaks of unseen images" in layout.table("demo", name, "md").read_text()
        assert said is not hold_out


def test_the_table_of_random_features_names_the_network_and_says_that_it_is_not_fid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = EXPERIMENT.model_copy(update={"seeds": (0, 1)})
    for model in experiment.models:
        for seed in experiment.seeds:
            random = {"frechet": 7.0 + seed, "coverage": 0.25}
            write_metrics(layout.Run("demo", model, seed), random_features=random)
    write_json(layout.floor("demo"), floor())
    make_table("random_features", "demo", experiment)
    numbers = pd.read_csv(layout.table("demo", "random_features", "csv"))
    assert numbers["frechet"].tolist() == [7.0, 8.0] * 6 + [1.25]
    assert numbers["coverage"].tolist() == [0.25] * 12 + [0.5]
    printed = layout.table("demo", "random_features", "md").read_text()
    assert printed.count("7.50 ± 0.71") == 6
    assert "1.25 ± 0.06" in printed
    for part in (
        "Fréchet distance, random features ↓",
        "a randomly initialised network, seed 0 (after Naeem et al. 2020). None is FID",
        "40 samples at T = 1 against as many random test images. Real images: 38 random training images",
        "± the standard deviation over 2 random subsets",
    ):
        assert printed.count(part) == 1, part


def write_fid(experiment, values):
    """A fid.json of each run: `values` by model, the same for every seed but FID, which rises by one a seed."""
    for model in experiment.models:
        for seed in experiment.seeds:
            run = layout.Run("demo", model, seed)
            value = values[model]
            write_json(run.metric("fid"), value | ({"fid": value["fid"] + seed} if value["fid"] else {}))


def test_the_table_of_fidelity_says_of_how_many_images_and_why_not(tmp_path, monkeypatch):
    """A model with all numbers, one without FID∞ and one without any."""
    monkeypatch.chdir(tmp_path)
    models = {name: EXPERIMENT.models[name] for name in ("vae", "glow", "fvae")}
    experiment = EXPERIMENT.model_copy(update={"seeds": (0, 1), "models": models})
    whole = MEASURED_FID
    few = whole | {"fid_infinity": None, "fid_infinity_reason": "too few"}
    write_fid(experiment, {"vae": whole, "glow": few, "fvae": NO_WEIGHTS})
    write_json(layout.floor("demo"), floor(few | {"fid": 3.0, "fid_infinity_reason": "too few test images"}))
    make_table("fidelity", "demo", experiment)
    assert pd.read_csv(layout.table("demo", "fidelity", "csv"))["fid"].tolist()[:4] == [10, 11, 10, 11]
    printed = layout.table("demo", "fidelity", "md").read_text()
    names = ("| VAE", "| Glow", "| f-VAE", "| real images")
    vae, glow, fvae, real = (line for line in printed.splitlines() if line.startswith(names))
    assert "10.5 ± 0.7" in vae
    assert "32.10 ± 0.00" in vae  # KID and, over subsets, its deviation
    assert "1.20 ± 0.00" in vae
    assert [line.count("n/a") for line in (vae, glow, fvae, real)] == [0, 1, 8, 1]
    assert "3.0 ± 0.2" in real
    for part in (
        "9,000 samples at T = 1 against all 27,000 training images",
        "random subsets of 1,000, from 9,000 samples and 10,000 random training images",
        "9,000 samples and 9,000 random training images",
        "VGG-16",
        "All is n/a: no weights",
        "FID∞ is n/a: too few\n",
        "FID∞ is n/a: too few test images",
        "9,000 test images in place of samples",
    ):
        assert printed.count(part) == 1, part


def test_the_table_of_sizes_says_how_the_seconds_spread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = EXPERIMENT.model_copy(update={"seeds": (0, 1)})
    for model in experiment.models:
        for seed in experiment.seeds:
            write_training(layout.Run("demo", model, seed), seconds=1000.0 + 100 * seed)
    write_matched("demo", experiment)
    make_table("sizes", "demo", experiment)
    numbers = pd.read_csv(layout.table("demo", "sizes", "csv"))
    assert numbers["seconds"].tolist() == [1050] * 6
    assert numbers["seconds_deviation"].tolist() == pytest.approx([70.71] * 6, abs=0.01)
    assert numbers["seeds"].tolist() == [2] * 6
    printed = layout.table("demo", "sizes", "md").read_text()
    assert "1,050 ± 71" in printed
    assert "2 seeds: mean ± standard deviation." in printed
