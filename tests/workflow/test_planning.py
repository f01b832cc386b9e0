"""What planning costs: it grows with the experiments that are planned, not with experiments times jobs."""

import shutil
from pathlib import Path

import pytest

from fvae.params import Experiment
from workflow.planning import SOURCES, Plan

PARAMS = Path(__file__).parents[2] / "params.yaml"


class Job(dict):
    """Snakemake's wildcards of a job."""

    __getattr__ = dict.__getitem__


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """A folder in which nothing was made."""
    shutil.copy(PARAMS, tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def dumped(monkeypatch):
    """The experiments that were turned into JSON values, one entry each time."""
    found, real = [], Experiment.model_dump

    def counted(self, **options):
        found.append(self)
        return real(self, **options)

    monkeypatch.setattr(Experiment, "model_dump", counted)
    return found


def test_the_parameters_of_many_jobs_are_taken_from_one_dump_of_each_experiment(dumped):
    plan = Plan({})
    tasks = [plan.values(f"sampling.{task}", "sampling.batch_norm") for task in ("random", "sheets")]
    ask = [plan.values("data"), *tasks, plan.values("figures", "match")]
    answers = {
        (experiment, seed): [function(Job(experiment=experiment, seed=seed)) for function in ask]
        for experiment in ("demo", "family", "study")
        for seed in range(10)
    }
    assert len(answers) == 30
    assert dumped == [plan.params.experiments[name] for name in ("demo", "family", "study")]
    assert len(set(answers["demo", 0])) == len(ask)


@pytest.mark.parametrize("text", ["", "[]", "damaged", '{"a": 1}'])
def test_damaged_digests_of_raw_data_are_computed_again(text):
    SOURCES.parent.mkdir()
    SOURCES.write_text(text)
    assert Plan({}).sources == {}


@pytest.mark.parametrize(
    ("model", "seed", "message"),
    [
        ("gan", 0, "fvae: target: demo has no model 'gan'; it has vae_dense, vae"),
        ("fvae", 7, "fvae: target: demo has no seed 7; it has 0"),
    ],
)
def test_a_training_that_params_yaml_does_not_name_is_one_line(model, seed, message):
    with pytest.raises(SystemExit) as stopped:
        Plan({}).training(Job(experiment="demo", model=model, seed=seed))
    assert str(stopped.value).startswith(message)
