"""The summary: what DVC compares and prints."""

import json

import numpy as np
import pandas as pd
import pytest
from measurements import MEASURED_FID, floor, write_json, write_matched, write_metrics, write_training

from fvae import layout, params
from fvae.commands.summary import history, numbers
from fvae.commands.summary import run as summarise
from fvae.errors import UserError

EXPERIMENT = params.load("params.yaml").experiments["demo"]
DISTANCES = ("swd", "portrait_distance", "random_features_frechet", "fid")
NAMES = ["bits_per_dim", *DISTANCES, "high_frequency_db", "psnr", "train_seconds", "parameters"]
ERRORS = [
    "bits_per_dim_standard_error",
    *(f"{name}_std_over_draws" for name in (*DISTANCES, "high_frequency_db")),
]


@pytest.fixture
def two_seeds(tmp_path, monkeypatch):
    """An experiment of two seeds that is trained and measured; only the f-VAE has FID for both."""
    monkeypatch.chdir(tmp_path)
    experiment = EXPERIMENT.model_copy(update={"seeds": (0, 7)})
    write_matched("demo", experiment)
    for model in experiment.models:
        for seed in experiment.seeds:
            run = layout.Run("demo", model, seed)
            known = model == "fvae" or (model == "vae" and seed == 0)
            fid = {"fid": MEASURED_FID} if known else {}
            fid["swd"] = {"standard_deviation": 0.6 + seed / 7}
            write_metrics(run, exact=model == "glow", bpd={"bpd": 4 + seed / 30}, **fid)
            write_training(run, seconds=1234.56789 + seed)
    return experiment


def test_means_and_deviations_over_seeds_to_six_digits(two_seeds):
    found = numbers("demo", two_seeds, "fvae")
    assert [name for name in found if not name.endswith("_std") and name not in ERRORS] == NAMES
    assert [name for name in found if name in ERRORS] == ERRORS
    assert found["swd_std_over_draws"] == 1.1  # of 0.6 and 1.6
    assert found["bits_per_dim_standard_error"] == 0.01
    assert [name for name in found if name.endswith("_std")] == [f"{name}_std" for name in NAMES[:-1]]
    assert found["bits_per_dim"] == 4.11667
    assert found["bits_per_dim_std"] == float(f"{np.std([4, 4 + 7 / 30], ddof=1):.6g}")
    assert found["train_seconds"] == 1238.07
    assert found["fid"] == 10.0
    assert found["fid_std"] == 0.0
    assert isinstance(found["parameters"], int)


def test_a_number_that_one_seed_lacks_is_left_out(two_seeds):
    assert not {"fid", "fid_std"} & set(numbers("demo", two_seeds, "vae"))
    assert not {"fid", "psnr"} & set(numbers("demo", two_seeds, "glow"))


def test_one_seed_has_no_deviation(two_seeds):
    one = two_seeds.model_copy(update={"seeds": (0,)})
    assert [name for name in numbers("demo", one, "fvae") if name not in ERRORS] == NAMES


def test_the_files_hold_every_model_and_seed_and_no_nan(two_seeds, monkeypatch):
    monkeypatch.setattr(params.Params, "experiment", lambda *_: two_seeds)
    monkeypatch.setattr("fvae.commands.summary.load", lambda: params.Params.model_construct())
    write_json(layout.floor("demo"), floor(MEASURED_FID))
    run = layout.Run("demo", "vae", 0)
    run.metric("swd").write_text(run.metric("swd").read_text().replace('"mean": 15.0', '"mean": NaN'))
    summarise("demo")

    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(layout.metrics("demo").read_text(), parse_constant=refuse)
    assert list(found) == [*two_seeds.models, "real images"]
    assert found["real images"] == {
        "swd": 1.5,
        "swd_std_over_subsets": 0.15,
        "portrait_distance": 1.2,
        "portrait_distance_std_over_subsets": 0.1,
        "fid": 10.0,
        "fid_std_over_subsets": 0.2,
        "random_features_frechet": 1.25,
        "random_features_frechet_std_over_subsets": 0.0625,
    }
    assert "swd" not in found["vae"]
    table = pd.read_csv(layout.history("demo"))
    assert list(table.columns[:3]) == ["model", "seed", "images"]
    assert len(table) == 6 * 2 * 3
    assert set(map(tuple, table[["model", "seed"]].to_numpy())) == {
        (model, seed) for model in two_seeds.models for seed in (0, 7)
    }


def test_numbers_of_histories_are_copied_digit_for_digit(two_seeds):
    run = layout.Run("demo", "vae", 0)
    text = run.history.read_text().replace("5.0,", "0.30000000000000004,", 1)
    run.history.write_text(text)
    assert "0.30000000000000004" in history("demo", two_seeds).to_csv(index=False)


def test_a_run_that_is_not_measured_is_one_line(two_seeds):
    layout.Run("demo", "glow", 7).metric("bpd").unlink()
    with pytest.raises(UserError, match=r"glow/seed-7/metrics/bpd\.json: missing; make it first: python -m fvae eval"):
        numbers("demo", two_seeds, "glow")
