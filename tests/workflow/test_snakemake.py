"""The workflow itself: a real run at a tiny size, and dry runs that show which jobs a change triggers."""

import json
import re
import shutil

import pandas as pd
import pytest
from pypdf import PdfReader

import fvae.paper

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]
FIGURES = set(fvae.paper.FIGURES)
MODELS = ("vae", "glow", "fvae")


def test_everything_is_made(finished):
    made = {path.name for path in (finished.folder / "paper_figures/demo").iterdir()}
    assert made == {f"{name}.{suffix}" for name in FIGURES for suffix in ("pdf", "png")} | {"paper.pdf"}
    for name in FIGURES:
        page = PdfReader(finished.folder / f"paper_figures/demo/{name}.pdf").pages[0]
        assert 300 < page.mediabox.width < 450  # points: a column's width
    assert "Glow" in PdfReader(finished.folder / "paper_figures/demo/curves.pdf").pages[0].extract_text()
    metrics = pd.read_csv(finished.folder / "results/demo/tables/metrics.csv")
    assert tuple(metrics["model"]) == (*MODELS, "real images")
    assert metrics["bpd"][:3].between(1, 12).all()
    assert metrics["bpd_is_bound"][:3].tolist() == [True, False, True]
    assert metrics["fid"].isna().all()
    sizes = pd.read_csv(finished.folder / "results/demo/tables/sizes.csv")
    assert (sizes["macs"] / sizes["macs"].iloc[-1] - 1).abs().max() <= 0.05
    for model in MODELS:
        run = finished.folder / f"results/demo/runs/{model}/seed-0"
        assert len(pd.read_csv(run / "history.csv")) == 2
        assert not (run / "state.pt").exists()
        assert json.loads((run / "metrics/bpd.json").read_text())["images"] == 16


def test_the_claims_are_decided(finished):
    claims = json.loads((finished.folder / "results/demo/claims.json").read_text())
    verdicts = {claim["name"]: claim["verdict"] for claim in claims}
    assert verdicts["d"] == "holds"
    assert verdicts["b"] == verdicts["e"] == "not decided here"


def test_several_seeds_are_trained_and_evaluated(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.edit(seeds=[0, 1])
    planned = project.planned()
    assert [job for job in planned if job.startswith("train")] == ["train fvae", "train glow", "train vae"]
    assert {"metrics", "sizes", "curves", "spectra", "claims", "article"} <= set(planned)
    assert not {"samples", "temperature", "interpolation"} & set(planned)


def test_a_metric_that_could_not_be_computed_says_why(finished):
    table = (finished.folder / "results/demo/tables/metrics.md").read_text()
    assert "n/a" in table
    assert "FID is n/a" in table
    assert "inception.path" in table
    assert "FID is n/a" in finished.output


def test_nothing_is_left_to_do(finished):
    assert finished.planned() == []


def test_a_removed_figure_is_one_job(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    (project.folder / "paper_figures/demo/samples.pdf").unlink()
    assert project.planned() == ["article", "samples"]


def test_a_figures_parameter_draws_figures_only(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.edit(figures__font_size=9.0)
    assert set(project.planned()) == FIGURES | {"article"}


def test_a_models_learning_rate_trains_that_model_only(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.edit(models__fvae__learning_rate=0.0005)
    planned = project.planned()
    assert [job for job in planned if job.startswith("train")] == ["train fvae"]
    assert not [job for job in planned if job.endswith((" vae", " glow"))]
    assert {"samples", "comparison", "curves", "metrics", "sizes", "claims", "article"} <= set(planned)
    assert "prepare" not in planned
    assert "data" not in planned


def test_the_matched_models_follow_a_change_of_the_fvaes_size(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.edit(models__fvae__flow__width=64)
    trained = [job for job in project.planned() if job.startswith("train")]
    assert trained == ["train fvae", "train glow", "train vae"]


def test_a_task_of_sampling_reruns_alone(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.edit(sampling__sheets__temperature=0.7)
    assert project.planned() == ["article", "sample_sheets fvae", "samples"]


def test_the_number_of_importance_samples_reruns_the_bound_alone(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.edit(evaluation__bpd__importance_samples=3)
    planned = project.planned()
    assert planned == [
        "article",
        "evaluate_bpd fvae",
        "evaluate_bpd glow",
        "evaluate_bpd vae",
        "metrics",
        "summary",
    ]


def test_a_figures_code_redraws_that_figure(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    with (project.folder / "fvae/paper/curves.py").open("a") as file:
        file.write("\n# another line\n")
    assert project.planned() == ["article", "curves"]


def test_what_the_claims_compare_decides_them_again_and_nothing_else(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.edit(claims__threshold__swd=50.0)
    assert project.planned() == ["article", "claims"]


def test_one_figure_needs_only_what_it_needs(fresh):
    planned = fresh.planned("paper_figures/demo/samples.pdf")
    assert planned == ["match fvae", "prepare", "sample_sheets fvae", "samples", "train fvae"]
    assert fresh.planned("paper_figures/demo/structures.pdf") == ["match fvae", "match glow", "match vae", "structures"]


def test_every_model_of_the_family_is_trained(fresh):
    planned = fresh.planned("results/family/tables/metrics.md")
    models = ("vae", "vae_reduced", "nice", "realnvp", "glow", "mixture", "fvae", "vae_planar", "vae_iaf")
    assert [job for job in planned if job.startswith("train")] == sorted(f"train {model}" for model in models)


def test_the_same_seed_gives_the_same_weights(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    weights = project.folder / "results/demo/runs/fvae/seed-0/weights.safetensors"
    before = weights.read_bytes()
    shutil.rmtree(weights.parent)
    project.ok("snakemake", "--cores", "1", "results/demo/runs/fvae/seed-0/weights.safetensors")
    assert weights.read_bytes() == before


def test_a_training_that_is_stopped_goes_on_by_retries(finished, tmp_path):
    """SIGTERM to the training alone, as a cluster sends it."""
    project = finished.copy(tmp_path / "copy")
    project.edit(training__images=8400)
    weights = "results/demo/runs/fvae/seed-0/weights.safetensors"
    run = (project.folder / weights).parent
    shutil.rmtree(run)
    with project.start("snakemake", "--cores", "1", "--retries", "1", weights) as running:
        project.training(running, run).terminate()
        assert running.wait(300) == 0
    assert len(list(run.glob("live/events*"))) == 2
    assert pd.read_csv(run / "history.csv")["images"].max() >= 8400
    assert project.planned(weights) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training__image": 3}, "experiments.demo.training.image: unknown; allowed here: images, batch_size"),
        ({"models__glow__flow__levels": 7}, "demo.models.glow.flow.levels: images of 16×16 cannot be halved so often"),
    ],
)
def test_a_wrong_parameter_is_one_clear_line(fresh, tmp_path, change, message):
    """One of the schema and one of what sections ask of each other; tests/test_params.py has the messages."""
    project = fresh.copy(tmp_path / "copy")
    project.edit(**change)
    for command in (["snakemake", "-n", "all"], ["python", "-m", "fvae", "describe", "--experiment", "demo"]):
        done = project.run(*command)
        assert done.returncode != 0
        lines = [line for line in (done.stdout + done.stderr).splitlines() if message in line]
        assert len(lines) == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("option", [["--config", "build=family"], ["--configfile", "params.yaml"]])
def test_parameters_beside_params_yaml_are_refused(fresh, option):
    done = fresh.run("snakemake", "-n", *option, "--", "all")
    assert done.returncode != 0
    assert "fvae: params.yaml alone decides results" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_an_unknown_experiment_is_one_clear_line(fresh):
    for command in (
        ["snakemake", "-n", "paper_figures/cats/samples.pdf"],
        ["python", "-m", "fvae", "prepare", "--experiment", "cats"],
    ):
        done = fresh.run(*command)
        assert done.returncode != 0
        assert (
            "no experiment 'cats'; the experiments are demo, family, faces64, lfw64, celeba64, celeba128"
            in done.stdout + done.stderr
        )
        assert "Traceback" not in done.stdout + done.stderr


def test_a_missing_archive_is_one_clear_line(fresh):
    done = fresh.run("snakemake", "-n", "paper_figures/celeba64/samples.pdf")
    assert done.returncode != 0
    assert "experiments.celeba64.data.path: data/raw/celeba-hq does not exist" in done.stdout + done.stderr


def test_an_archive_that_is_downloaded_need_not_be_there(fresh):
    fresh.ok("snakemake", "-n", "data/lfw64/manifest.json")


def test_required_fid_without_weights_stops(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.edit(evaluation__fid__mode="required")
    done = project.run("snakemake", "--cores", "1", "results/demo/tables/metrics.md")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "inception.path" in said
    assert "completed successfully" not in said
    _, last = said.split("Exiting because a job execution failed")  # the reason stands once more at the end
    assert re.search(r"^logs/.*\.log: fvae: .*inception\.path", last, re.MULTILINE)
