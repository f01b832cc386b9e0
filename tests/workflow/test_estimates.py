"""Memory and minutes of jobs: from the size of an experiment, and from what earlier jobs recorded."""

import json
import shutil
from pathlib import Path

import pytest

from fvae import layout
from workflow.estimates import Estimates
from workflow.planning import Plan

ROOT = Path(__file__).parents[2]
CELEBA = {"parameters": 95_830_082, "macs": 1_441_136_640}  # the authors' f-VAE at 64×64


class Job(dict):
    """Snakemake's wildcards of a job; it has no attribute `model` where its rule has no such wildcard."""

    def __getattr__(self, name):
        if name not in self:
            raise AttributeError(name)
        return self[name]


JOB = Job(experiment="celeba64", model="fvae", seed="0")


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """The shipped experiments; nothing was made but the size of a model."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    monkeypatch.chdir(tmp_path)
    file = layout.model("celeba64", "fvae")
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"size": CELEBA}))
    (tmp_path / ".snakemake").mkdir()
    (tmp_path / ".snakemake/started").touch()  # Snakemake ran here


@pytest.fixture
def estimates():
    return Estimates(Plan({"gpu": 0}))


def record(path, seconds, megabytes):
    """A benchmark file as Snakemake writes it."""
    file = Path("logs/celeba64", path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t{megabytes}\n")


def test_a_training_is_estimated_by_its_arithmetic(estimates):
    """288 hours at 20e9 a second; docs/benchmarks.md has 128 hours on two threads."""
    minutes = estimates.minutes(JOB, threads=1, rulename="train", attempt=1)
    assert minutes == 15 + 4_800_000 * 3 * CELEBA["macs"] / 20e9 / 60 // 1 + 1
    assert estimates.minutes(JOB, threads=2, rulename="train", attempt=1) == pytest.approx(minutes / 2, abs=10)


def test_a_gpu_is_faster_and_keeps_activations_in_its_own_memory(estimates):
    gpu = Estimates(Plan({"gpu": 1}))
    assert gpu.minutes(JOB, threads=1, rulename="train", attempt=1) < 500
    memory = gpu.memory(JOB, rulename="train", attempt=1)
    assert 6_000 < memory < 7_000
    assert estimates.memory(JOB, rulename="train", attempt=1) > memory + 10_000


def test_a_retry_asks_for_twice_as_much(estimates):
    for attempt in (1, 2, 3):
        once = estimates.memory(JOB, rulename="train", attempt=attempt)
        assert estimates.memory(JOB, rulename="train", attempt=attempt + 1) == pytest.approx(2 * once, abs=1)
        once = estimates.minutes(JOB, threads=1, rulename="train", attempt=attempt)
        assert estimates.minutes(JOB, threads=1, rulename="train", attempt=attempt + 1) == pytest.approx(
            2 * once, abs=1
        )


def test_earlier_runs_of_any_seed_decide_where_there_are_some(estimates):
    record("fvae/seed-0/train.benchmark.tsv", 600, 5000)
    record("fvae/seed-1/train.benchmark.tsv", 1200, 4000)
    record("glow/seed-0/train.benchmark.tsv", 90000, 90000)
    job = Job(experiment="celeba64", model="fvae", seed="2")
    assert estimates.minutes(job, threads=1, rulename="train", attempt=1) == 15 + 40
    assert estimates.memory(job, rulename="train", attempt=2) == 20_000


def test_a_job_that_was_too_short_to_be_measured_is_no_record(estimates):
    before = estimates.memory(Job(experiment="celeba64"), rulename="floor", attempt=1)
    record("floor.benchmark.tsv", 0.1, "NA")
    assert estimates.memory(Job(experiment="celeba64"), rulename="floor", attempt=1) == before


def test_a_record_that_was_cut_off_is_none(estimates):
    before = estimates.memory(Job(experiment="celeba64"), rulename="floor", attempt=1)
    record("floor.benchmark.tsv", 0.1, 9000)
    file = Path("logs/celeba64/floor.benchmark.tsv")
    heading, row = file.read_text().splitlines()
    for text in (heading, f"{heading}\n{row[:3]}", "s\n0.1"):
        file.write_text(text)
        assert estimates.memory(Job(experiment="celeba64"), rulename="floor", attempt=1) == before


def test_a_record_of_a_job_that_had_nothing_to_do_is_no_reason_to_ask_for_less_than_python_needs(estimates):
    record("fvae/seed-0/evaluate_fid.benchmark.tsv", 0.5, 4.71)
    assert estimates.memory(JOB, rulename="evaluate_fid", attempt=1) == 3000


def test_samples_of_each_task_have_records_of_their_own(estimates):
    record("fvae/seed-0/sample_random.benchmark.tsv", 6000, 1000)
    random, pairs = (
        estimates.minutes(JOB, threads=1, rulename=rule, attempt=1)
        for rule in ("sample_random", "sample_interpolation")
    )
    assert random == 15 + 200
    assert pairs == 15


def test_bits_per_dim_are_estimated_by_their_importance_samples(estimates):
    bpd = estimates.plan.params.experiments["celeba64"].evaluation.bpd
    minutes = estimates.minutes(JOB, threads=1, rulename="evaluate_bpd", attempt=1)
    assert minutes == pytest.approx(15 + bpd.images * (bpd.importance_samples + 1) * CELEBA["macs"] / 20e9 / 60, abs=1)


def test_before_a_model_has_a_size_the_least_is_asked_for(estimates):
    job = Job(experiment="demo", model="glow", seed="0")
    assert estimates.minutes(job, threads=1, rulename="train", attempt=1) == 15
    assert estimates.memory(job, rulename="train", attempt=1) == 3000


def test_fids_network_reads_every_prepared_image(estimates):
    job = Job(experiment="celeba64")
    assert estimates.minutes(job, threads=1, rulename="reference", attempt=1) == 15
    images = layout.data("celeba64") / "images.npy"
    images.parent.mkdir(parents=True)
    with images.open("wb") as file:
        file.truncate(30_000 * 3 * 64 * 64)
    assert estimates.minutes(job, threads=1, rulename="reference", attempt=1) == 15 + 143


def test_gpus_have_the_name_that_slurm_reads_or_that_one_machine_limits(estimates):
    assert "gpu" in estimates.needs(1)
    assert "gpus" in Estimates(Plan({})).needs(1)


def test_another_number_for_gpu_is_one_line():
    with pytest.raises(SystemExit, match="config: gpu is 0 or 1"):
        Plan({"gpu": 2})


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"size": 3}'])
def test_a_damaged_model_file_is_one_line(estimates, damage):
    layout.model("celeba64", "fvae").write_text(damage)
    with pytest.raises(SystemExit, match=r"^fvae: results/celeba64/runs/fvae/model\.json: .*python -m fvae match$"):
        estimates.memory(JOB, rulename="train", attempt=1)
