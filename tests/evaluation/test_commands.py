"""sample and evaluate, from a trained model's folder to files of the form that tables read."""

import pkgutil

import numpy as np
import pytest
import torch
from family import SPECS, perturbed

from fvae import layout, params
from fvae.commands import evaluate, floor, reference, sample
from fvae.data.prepare import prepare_portraits
from fvae.errors import UserError
from fvae.evaluation import METRIC_OF, METRICS, TASKS, metrics
from fvae.evaluation.metrics import portrait_distance
from fvae.files import write_json, write_text
from fvae.models.build import build
from fvae.results import read_floor, read_metric, read_samples
from fvae.training.checkpoint import copied_weights, save_weights

PHOTOGRAPHS = params.load("params.yaml").experiments["lfw64"]
DATA = params.Portraits(kind="portraits", size=16, bits=8, train=12, validation=4, test=16, seed=0)


def small():
    """The parameters with an experiment of small models, images and samples."""
    given = params.load("params.yaml")
    values = given.experiments["demo"].model_dump()
    sampling, evaluation = values["sampling"], values["evaluation"]
    for task in ("random", "sheets", "temperatures", "reconstructions"):
        sampling[task]["images"] = 8
    sampling["random"]["draws"] = 3
    sampling["grain"]["images"] = 25
    sampling["interpolation"] |= {"pairs": 2, "steps": 3}
    sampling["interpolation_four"] |= {"sheets": 1, "steps": 2}
    evaluation["bpd"] = {"images": 8, "importance_samples": 2}
    evaluation["sharpness"] = {"images": 8}
    models = {name: SPECS[name].model_dump() for name in ("vae", "glow", "fvae")}
    values |= {"data": DATA.model_dump(), "models": models}
    values["claims"] |= {"vae": ["vae"], "fvae": ["fvae"]}
    return given.model_copy(update={"experiments": {"demo": params.Experiment(**values)}})


@pytest.fixture(scope="module", autouse=True)
def _trained(tmp_path_factory):
    """A folder with prepared images and three models, perturbed in place of trained."""
    chosen = small()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        for module in ("arguments", "floor", "reference"):
            patch.setattr(f"fvae.commands.{module}.load", lambda: chosen)
        prepare_portraits(DATA, layout.data("demo"))
        for name, spec in chosen.experiments["demo"].models.items():
            run = layout.Run("demo", name, 0)
            torch.manual_seed(0)
            write_text(run.model_spec, spec.model_dump_json())
            save_weights(run.weights, copied_weights(perturbed(build(spec, 16)).float()))
        write_json(layout.INCEPTION_STATUS, {"path": None, "reason": "no weights here"})
        reference.run("demo")
        floor.run("demo")
        for name in chosen.experiments["demo"].models:
            for task in [task for task in TASKS if (name, task) != ("glow", "sources")]:
                sample.run("demo", name, task, 0)
        yield


def test_the_lists_of_tasks_and_metrics_name_what_there_is():
    assert set(TASKS) == set(params.Sampling.model_fields) - {"batch_norm"}
    assert set(METRICS) == {module.name for module in pkgutil.iter_modules(metrics.__path__)}


@pytest.mark.parametrize("task", TASKS)
def test_samples_have_the_dimensions_that_figures_expect(task):
    images = read_samples(layout.Run("demo", "fvae", 0), task)
    assert images.shape[-3:] == (3, 16, 16)
    assert images.std() > 1


@pytest.mark.parametrize(
    ("model", "metric"),
    [*(("vae", metric) for metric in METRICS), *(("glow", each) for each in METRICS if each != "sources")],
)
def test_every_metric_is_written_in_the_form_that_is_read(model, metric):
    evaluate.run("demo", model, [metric], 0)
    found = read_metric(layout.Run("demo", model, 0), metric)
    if metric == "fid":
        assert found["reason"] == "no weights here"
        assert found["fid"] is None
    elif metric == "bpd":
        assert found["bound"] == (model == "vae")
        assert np.isfinite(found["bpd"])
    elif metric == "swd":
        assert found["mean"] == pytest.approx(np.mean(found["draws"]))
        assert found["standard_deviation"] == pytest.approx(np.std(found["draws"], ddof=1))
        assert found["mean"] > read_floor("demo")["swd"]["mean"] > 0
    elif metric == "portrait_distance":
        assert found["portrait_distance"] == pytest.approx(np.mean(found["draws"]))
        assert found["portrait_distance"] > 1
        assert found["images"] == 8
        assert sum(found["true_shares"]["hair"].values()) == pytest.approx(1)
    elif metric == "random_features":
        assert found["frechet"] == pytest.approx(np.mean(found["frechet_draws"]))
        assert found["images"] == 8
        assert 0 <= found["precision"] <= 1
        assert found["frechet"] > read_floor("demo")["random_features"]["frechet"] > 0
    elif metric == "sharpness":
        assert len(found["spectrum"]["samples"]) == 9
    elif metric == "temperature":
        assert len(found["swd"]) == len(found["temperatures"])
    elif metric == "grain":
        assert list(found["without_noise"]) == list(found["with_noise"]) == ["16"]
        same = found["without_noise"]["16"] == pytest.approx(found["with_noise"]["16"], rel=1e-3)
        assert same == (model == "glow")  # whose noise is far below a level
    elif metric == "interpolation":
        assert len(found["model"]) == len(found["cross_fade"]) == 3
        assert 0.3 < found["real"] <= 1
        assert found["cross_fade"][0] == pytest.approx(found["cross_fade"][-1], abs=0.5)
    elif metric == "sources":
        assert found["sources"] == ["standard", "marginals", "gaussian"]
        assert len(found["swd"]) == len(found["portrait_distance"]) == 3
    else:
        assert found["difference"] < 1e-9 * abs(found["nats"])


@pytest.mark.parametrize(("task", "metric"), METRIC_OF.items())
def test_the_metric_of_a_task_is_measured_with_its_samples(task, metric):
    run = layout.Run("demo", "vae", 0)
    run.metric(metric).unlink()
    sample.run("demo", "vae", task, 0)
    measured = read_metric(run, metric)
    evaluate.run("demo", "vae", [metric], 0)
    assert read_metric(run, metric) == measured


def test_a_flow_has_no_sources_of_latents():
    with pytest.raises(UserError, match="--model: glow is a flow, which has no decoder beside it"):
        sample.run("demo", "glow", "sources", 0)


def test_photographs_have_no_portrait_distance_and_the_file_says_why():
    run = layout.Run("lfw64", "fvae", 0)
    write_json(run.metric("portrait_distance"), portrait_distance.measure("lfw64", PHOTOGRAPHS, run))
    found = read_metric(run, "portrait_distance")
    assert found["portrait_distance"] is None
    assert "drawn portraits alone" in found["reason"]


def test_the_floor_is_written_in_the_form_that_is_read():
    found = read_floor("demo")
    assert found["swd"]["images"] == 8
    assert len(found["swd"]["subsets"]) == 3
    assert found["swd"]["standard_deviation"] == pytest.approx(np.std(found["swd"]["subsets"], ddof=1))
    assert found["fid"] == {
        "mean": None,
        "standard_deviation": None,
        "subsets": [],
        "images": 0,
        "reason": "no weights here",
    }


def test_an_fvae_is_no_special_case():
    evaluate.run("demo", "fvae", ["special_case"], 0)
    found = read_metric(layout.Run("demo", "fvae", 0), "special_case")
    assert found["difference"] is None
    assert "neither a VAE nor a flow" in found["reason"]


def test_several_metrics_are_measured_at_once():
    evaluate.run("demo", "glow", ["swd", "special_case"], 0)
    assert read_metric(layout.Run("demo", "glow", 0), "swd")["images"] == 8
    assert read_metric(layout.Run("demo", "glow", 0), "special_case")["difference"] < 1e-9
    with pytest.raises(UserError, match="METRIC: 'beauty' is not one of bpd, swd"):
        evaluate.run("demo", "glow", ["swd", "beauty"], 0)
