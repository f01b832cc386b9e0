"""dvc and snakemake are two doors to the same house: a real run of both in a Git repository."""

import pytest

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def recorded(finished, tmp_path_factory):
    """The finished project in Git, then `dvc repro`."""
    project = finished.copy(tmp_path_factory.mktemp("recorded") / "project")
    project.ok("git", "init", "-q")
    project.ok("git", "config", "user.email", "someone@example.org")
    project.ok("git", "config", "user.name", "Someone")
    project.ok("git", "add", "-A")
    project.ok("git", "commit", "-q", "-m", "everything")
    project.output = project.ok("dvc", "repro")
    return project


def test_dvc_after_snakemake_records_and_computes_nothing(recorded):
    assert "step/s" not in recorded.output
    assert recorded.output.count("Nothing to be done") == 8  # one a stage
    assert (recorded.folder / "dvc.lock").exists()
    assert "up to date" in recorded.ok("dvc", "status")


def test_snakemake_after_dvc_has_nothing_to_do(recorded):
    assert recorded.planned() == []


def test_a_second_repro_does_nothing(recorded):
    assert recorded.ok("dvc", "repro").count("didn't change, skipping") == 8


def test_params_diff_names_what_changed(recorded, tmp_path):
    project = recorded.copy(tmp_path / "copy")
    project.edit(models__fvae__learning_rate=0.0005)
    difference = project.ok("dvc", "params", "diff")
    assert "experiments.demo.models.fvae.learning_rate" in difference
    assert "0.0005" in difference
    assert len(difference.strip().splitlines()) == 2  # a heading and the one change


def test_metrics_show_has_the_numbers(recorded):
    shown = recorded.ok("dvc", "metrics", "show", "--md")
    assert "results/demo/fvae/seed-0/metrics/bpd.json" in shown
    assert "standard_error" in shown
