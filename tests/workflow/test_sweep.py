"""python -m workflow.sweep: numbers against a parameter, of the models of one experiment or of several revisions."""

import json
import subprocess
from pathlib import Path

import pytest
import typer
import yaml
from scipy.stats import t
from typer.testing import CliRunner

from workflow import sweep

LATENTS = {"fvae_conv": 8, "latent_4": 4, "latent_32": 32}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the real params.yaml and an experiment whose models differ in the latent, measured with 3 seeds."""
    params = yaml.safe_load(Path("params.yaml").read_text())
    others = {
        name: {"extends": "fvae_conv", "encoder": {"latent": size}} for name, size in LATENTS.items() if size != 8
    }
    others |= {"vae_dense": None, "vae": None, "glow": None, "fvae_reduced": None}
    claims = {"fvae": ["fvae"], "vae": [], "glow": []}
    params["experiments"]["mine"] = {"extends": "demo", "seeds": [0, 1, 2], "models": others, "claims": claims}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    measured = {name: {"bits_per_dim": 5 - size / 32, "bits_per_dim_std": 0.1} for name, size in LATENTS.items()}
    write(tmp_path, measured | {"fvae": {"bits_per_dim": 4.8, "bits_per_dim_std": 0.1, "swd": 30.0, "swd_std": 1.0}})
    monkeypatch.chdir(tmp_path)
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"]):
        subprocess.run(command, check=True)
    commit("measured")
    return tmp_path


def commit(message):
    """All that is in the folder."""
    author = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", *author, "commit", "-q", "-m", message], check=True)


def write(folder, measured):
    file = folder / "results/mine/metrics.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(measured))


def run(*arguments):
    app = typer.Typer()
    app.command()(sweep.main)
    return CliRunner().invoke(app, [*arguments, "--experiment", "mine"])


def test_models_stand_in_the_order_of_the_parameter_with_their_intervals(project):
    done = run("encoder.latent")
    assert done.exit_code == 0, done.output
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.output.splitlines() if "|" in line]
    half = t.ppf(0.975, 2) * 0.1 / 3**0.5
    assert table[0] == ["encoder.latent", "model", "seeds", "bits/dim"]  # not every model has an SWD
    assert table[2:] == [
        ["4", "latent_4", "3", f"4.875 ± {half:.3f}"],
        ["8", "fvae_conv", "3", f"4.750 ± {half:.3f}"],
        ["32", "latent_32", "3", f"4.000 ± {half:.3f}"],
    ]
    assert (project / "dvc_plots/mine-encoder.latent.pdf").stat().st_size > 5000


def test_one_model_of_several_revisions(project):
    for size, number in ((16, 4.5), (64, 4.1)):
        params = yaml.safe_load((project / "params.yaml").read_text())
        params["experiments"]["demo"]["models"]["fvae_conv"]["encoder"]["latent"] = size
        (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        write(project, {name: {"bits_per_dim": number} for name in [*LATENTS, "fvae"]})
        commit(f"latent {size}")
    done = run("encoder.latent", "HEAD", "HEAD~1", "--model", "fvae_conv")
    assert done.exit_code == 0, done.output
    cells = [line.split() for line in done.output.splitlines() if "fvae_conv" in line]
    assert [(line[1], line[-2]) for line in cells] == [("16", "4.500"), ("64", "4.100")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["encoder.nothing"], "encoder.nothing: no model of mine that was chosen has a number there"),
        (
            ["learning_rate"],
            "learning_rate: several have the same value (fvae and fvae_conv and latent_4 and latent_32)",
        ),
        (["encoder.latent", "nowhere"], "nowhere: "),
    ],
)
def test_what_cannot_be_shown_is_one_line(project, arguments, said):
    done = run(*arguments)
    assert done.exit_code == 1
    assert done.output.startswith(f"fvae: {said}")
    assert done.output.count("\n") == 1
