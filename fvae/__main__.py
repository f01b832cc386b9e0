"""The command line: python -m fvae COMMAND.

Each function declares a command's options and passes them to a module, which it imports when the command runs, so that
`--help` needs no PyTorch. Each rule of the workflow runs one of the commands.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from fvae.errors import UserError, memory_is_full
from fvae.memory import keep_freed_memory

HELP = """
f-VAEs: Improve VAEs with Conditional Flows (Su & Wu 2018): train the models, measure them, draw the paper.

`snakemake --cores 1` runs all commands that are needed, in the right order. Each can also be run alone, as below.

Parameters are read from params.yaml in the current folder; each experiment is a section of it.

Results are written to data/EXPERIMENT, results/EXPERIMENT and paper_figures/EXPERIMENT.

One model from its images to a measurement:

    python -m fvae prepare --experiment demo
    python -m fvae match --experiment demo --model fvae
    python -m fvae train --experiment demo --model fvae
    python -m fvae sample random --experiment demo --model fvae
    python -m fvae evaluate swd --experiment demo --model fvae

A command that cannot do its work prints one line that says what to do, and exits with 1.
"""
DATA, MODELS, EVALUATION, PAPER, INFORMATION = "Images", "Models", "Evaluation", "Paper", "Information"

app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

ExperimentName = Annotated[str, typer.Option("--experiment", help="A section of params.yaml.")]
ModelName = Annotated[str, typer.Option("--model", help="A model of the experiment.")]
SeedNumber = Annotated[int, typer.Option("--seed", min=0, help="One of the experiment's seeds.")]


@app.command(rich_help_panel=DATA)
def prepare(experiment: ExperimentName) -> None:
    """Read, check, crop and resize an experiment's images, and split them: data/EXPERIMENT."""
    from fvae.commands.prepare import run

    run(experiment)


@app.command(rich_help_panel=MODELS)
def match(experiment: ExperimentName, model: ModelName) -> None:
    """Find a model's size where it is 'match', and count its cost: results/EXPERIMENT/runs/MODEL/model.json."""
    from fvae.commands.match import run

    run(experiment, model)


@app.command(rich_help_panel=MODELS)
def train(
    experiment: ExperimentName,
    model: ModelName,
    seed: SeedNumber = 0,
    resume_across_versions: Annotated[
        bool,
        typer.Option("--resume-across-versions", help="Continue also what other code or another PyTorch began."),
    ] = False,
) -> None:
    """Train one model, or continue an interrupted training: results/EXPERIMENT/runs/MODEL/seed-N.

    Before the first step, weights, history and cost of an earlier training there are deleted.
    """
    from fvae.commands.train import run

    run(experiment, model, seed, resume_across_versions=resume_across_versions)


@app.command(rich_help_panel=MODELS)
def export(
    experiment: ExperimentName,
    model: ModelName,
    to: Annotated[Path, typer.Option("--to", help="The folder that is written.")],
    seed: SeedNumber = 0,
    onnx: Annotated[bool, typer.Option("--onnx", help="Write decoder.onnx too, for programs without PyTorch.")] = False,
) -> None:
    """Write a trained model as the Hugging Face Hub wants it: weights, config, and a model card with its numbers."""
    from fvae.commands.export import run

    run(experiment, model, seed, to, onnx=onnx)


@app.command(rich_help_panel=MODELS)
def explore(
    experiment: ExperimentName,
    port: Annotated[int, typer.Option("--port", help="Where the page is served; 0 takes any free port.")] = 8000,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
) -> None:
    """Play with the trained models on a page in the browser, which only this machine can open."""
    from fvae.commands.explore import run

    run(experiment, port, browser=browser)


@app.command(rich_help_panel=EVALUATION)
def sample(
    task: Annotated[
        str,
        typer.Argument(
            help="random, sheets, temperatures, reconstructions, interpolation, interpolation_four, sources or grain."
        ),
    ],
    experiment: ExperimentName,
    model: ModelName,
    seed: SeedNumber = 0,
) -> None:
    """Generate images from a trained model: samples/TASK.npy in its folder.

    Temperatures, interpolation, sources and grain are also measured: metrics/METRIC.json.
    """
    from fvae.commands.sample import run

    run(experiment, model, task, seed)


@app.command(rich_help_panel=EVALUATION)
def evaluate(
    metrics: Annotated[
        list[str],
        typer.Argument(
            metavar="METRIC...",
            help="Any of bpd, swd, portrait_distance, random_features, fid, sharpness, temperature, special_case, "
            "sources, grain and interpolation.",
        ),
    ],
    experiment: ExperimentName,
    model: ModelName,
    seed: SeedNumber = 0,
) -> None:
    """Measure a trained model by one metric or several: metrics/METRIC.json in its folder."""
    from fvae.commands.evaluate import run

    run(experiment, model, metrics, seed)


@app.command(rich_help_panel=EVALUATION)
def inception() -> None:
    """Download the weights of FID's network, or check those that params.yaml names: data/inception/status.json."""
    from fvae.commands.inception import run

    run()


@app.command(rich_help_panel=EVALUATION)
def reference(experiment: ExperimentName) -> None:
    """Compute the Inception features of the training images, FID's reference set: results/EXPERIMENT/reference.npz."""
    from fvae.commands.reference import run

    run(experiment)


@app.command(rich_help_panel=EVALUATION)
def floor(experiment: ExperimentName) -> None:
    """Measure what perfect samples would reach in each distance: results/EXPERIMENT/runs/floor.json."""
    from fvae.commands.floor import run

    run(experiment)


@app.command(rich_help_panel=EVALUATION)
def corruptions(experiment: ExperimentName) -> None:
    """Measure how distances answer to corrupted real images: results/EXPERIMENT/runs/corruptions.json."""
    from fvae.commands.corruptions import run

    run(experiment)


@app.command(rich_help_panel=EVALUATION)
def factor_reader(
    folder: Annotated[Path | None, typer.Option("--folder", help="Where to write it; by default into fvae.")] = None,
) -> None:
    """Train the network of the portrait distance again, and write its weights and card.md."""
    from fvae.commands.factor_reader import run

    run(folder)


@app.command(rich_help_panel=EVALUATION)
def summary(experiment: ExperimentName) -> None:
    """Collect the main numbers of all runs: results/EXPERIMENT/metrics.json and history.csv."""
    from fvae.commands.summary import run

    run(experiment)


@app.command(rich_help_panel=PAPER)
def table(
    name: Annotated[str, typer.Argument(help="sizes, metrics, fidelity or random_features.")],
    experiment: ExperimentName,
) -> None:
    """Write a table as CSV, Markdown and LaTeX: results/EXPERIMENT/tables."""
    from fvae.commands.arguments import one_of
    from fvae.paper import TABLES, make_table
    from fvae.params import load

    one_of("NAME", name, TABLES)
    make_table(name, experiment, load().experiment(experiment))


@app.command(rich_help_panel=PAPER)
def figure(
    name: Annotated[str, typer.Argument(help="A module of fvae/paper, such as samples, comparison or curves.")],
    experiment: ExperimentName,
) -> None:
    """Draw a figure as PDF and PNG: paper_figures/EXPERIMENT."""
    from fvae.commands.arguments import one_of
    from fvae.paper import FIGURES, make_figure
    from fvae.params import load

    one_of("NAME", name, FIGURES)
    make_figure(name, experiment, load().experiment(experiment))


@app.command(rich_help_panel=PAPER)
def claims(experiment: ExperimentName) -> None:
    """Decide the paper's claims from what was measured: results/EXPERIMENT/claims.md."""
    from fvae.paper.claims import write
    from fvae.params import load

    write(experiment, load().experiment(experiment))


@app.command(rich_help_panel=PAPER)
def article(experiment: ExperimentName) -> None:
    """Put all tables, figures and claims into one PDF: paper_figures/EXPERIMENT/paper.pdf."""
    from fvae.paper.article import make
    from fvae.params import load

    make(experiment, load().experiment(experiment))


@app.command(rich_help_panel=INFORMATION)
def describe(
    experiment: Annotated[str | None, typer.Option("--experiment", help="A section of params.yaml.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    data: Annotated[str | None, typer.Option("--data", help="A folder or an archive of images.")] = None,
) -> None:
    """Print each model's parameters, multiply-accumulates per image and latents; or how --data would be read."""
    from fvae.commands.describe import run

    run(experiment, as_json, data)


@app.command(rich_help_panel=INFORMATION)
def params(experiment: ExperimentName) -> None:
    """Print an experiment of params.yaml with all that it inherits, as YAML."""
    from fvae.commands.params import run

    run(experiment)


@app.command(rich_help_panel=INFORMATION)
def provenance(file: Annotated[Path, typer.Argument(help="A PDF or PNG of paper_figures.")]) -> None:
    """Print what a figure was made from, as JSON: parameters, hash of the images, seeds, commit, versions."""
    import json

    from fvae.provenance import read

    print(json.dumps(read(file), indent=2))


def main() -> None:
    """Run a command. A UserError, a file that cannot be used, or full memory is one line and exit code 1."""
    # One thread, but for a training with `threads`: the same bits whatever the number of cores, and jobs that run at
    # the same time do not wait for each other.
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    keep_freed_memory()
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")  # flows are inverted: they need all of float32 on GPUs too
    try:
        app()
    except UserError as error:
        sys.exit(f"fvae: {error}")
    except OSError as error:
        sys.exit(f"fvae: {error.filename}: {error.strerror}" if error.filename else f"fvae: {error}")
    except (MemoryError, RuntimeError) as error:
        if not memory_is_full(error):
            raise
        sys.exit("fvae: the memory is full; make room, or lower training.batch_size, and run it again")


if __name__ == "__main__":
    main()
