"""The commands, one a rule: python -m fvae COMMAND."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fvae import layout
from fvae.errors import UserError, memory_is_full
from fvae.params import Experiment, Images, Params, load

app = typer.Typer(
    help="f-VAEs: Improve VAEs with Conditional Flows, reproduced.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ExperimentName = Annotated[str, typer.Option("--experiment", help="A section of params.yaml.")]
ModelName = Annotated[str, typer.Option("--model", help="A model of the experiment.")]
SeedNumber = Annotated[int, typer.Option("--seed", help="One of the experiment's seeds.")]
TASKS = ("random", "sheets", "temperatures", "reconstructions", "pairs", "quads")
SPECIAL_CASE_IMAGES = 32
METRICS = ("bpd", "swd", "fid", "sharpness", "temperature", "special_case")


@app.command()
def describe(
    experiment: Annotated[str | None, typer.Option("--experiment", help="A section of params.yaml.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    data: Annotated[str | None, typer.Option("--data", help="A folder or an archive of images.")] = None,
) -> None:
    """Each model's parameters, multiply-accumulates an image and latents; or what --data is taken for."""
    from fvae.models.build import describe as sizes
    from fvae.models.match import resolve

    if data == "":
        raise UserError("--data: the path is empty; name a folder or an archive of images")
    if data is not None:
        from fvae.data.inspection import inspect

        settings = load().experiment(experiment).data if experiment else None
        print(inspect(data, settings if isinstance(settings, Images) else None))
        return
    if experiment is None:
        raise UserError("describe: --experiment or --data is missing")
    chosen = load().experiment(experiment)
    described = {
        name: sizes(spec, chosen.data.size) | {"spec": spec.model_dump(mode="json")}
        for name, spec in resolve(chosen).items()
    }
    if as_json:
        print(json.dumps(described, indent=2))
        return
    for name, size in described.items():
        effective, macs = size["effective_parameters"], size["macs"] / 1e6
        without = f" ({effective:,} effective)" if effective < size["parameters"] else ""
        print(f"{name}: {size['parameters']:,} parameters{without}, {macs:,.1f} M multiply-accumulates an image")
        for part, parameters in size["parts"].items():
            print(f"  {part:<16} {parameters:>12,}")
        shapes = ", ".join("×".join(map(str, shape)) for shape in size["latent"]["shapes"])
        print(f"  latent: {size['latent']['dims']:,} = {shapes} (C×H×W)")


@app.command()
def params(experiment: ExperimentName) -> None:
    """Print an experiment of params.yaml with all that it inherits, as YAML."""
    from fvae.commands import params as command

    command.run(experiment)


@app.command()
def prepare(experiment: ExperimentName) -> None:
    """Prepare the experiment's images: data/EXPERIMENT."""
    from fvae.data.prepare import prepare_images, prepare_portraits

    params = load()
    settings = params.experiment(experiment).data
    if isinstance(settings, Images):
        prepare_images(settings, layout.data(experiment), _other_sizes(params, experiment))
    else:
        prepare_portraits(settings, layout.data(experiment))


def _other_sizes(params: Params, experiment: str) -> dict[int, Path]:
    """The folders of experiments that differ in their images' size alone and are not prepared yet, by size."""
    settings = params.experiment(experiment).data
    return {
        other.size: layout.data(name)
        for name, chosen in params.experiments.items()
        if (other := chosen.data) == settings.model_copy(update={"size": other.size})
        and other.size != settings.size
        and not (layout.data(name) / "manifest.json").exists()
    }


@app.command()
def train(experiment: ExperimentName, model: ModelName, seed: SeedNumber = 0) -> None:
    """Train one model, or continue an interrupted training."""
    from fvae.commands.train import run

    run(experiment, model, seed)


@app.command()
def sample(experiment: ExperimentName, model: ModelName, task: str, seed: SeedNumber = 0) -> None:
    """Generate images from a trained model: random, sheets, temperatures, reconstructions, pairs, quads."""
    import numpy as np

    from fvae.data.dataset import load as load_images
    from fvae.evaluation.sampling import generate
    from fvae.files import write

    _one_of("TASK", task, TASKS)
    chosen = _experiment(experiment, model)
    run = layout.Run(experiment, model, seed)
    held_out = load_images(layout.data(experiment)).split("test")
    images = generate(_trained(chosen, run), task, chosen.sampling, held_out, seed)

    def save(partial: Path) -> None:
        with partial.open("wb") as file:
            np.save(file, images)

    write(run.samples(task), save)


@app.command()
def evaluate(experiment: ExperimentName, model: ModelName, metric: str, seed: SeedNumber = 0) -> None:
    """Measure a METRIC of a trained model: bpd, swd, fid, sharpness, temperature, special_case."""
    from fvae.data.dataset import load as load_images
    from fvae.evaluation import metrics
    from fvae.evaluation.reference import digest
    from fvae.evaluation.reference import load as load_reference
    from fvae.evaluation.special_cases import special_case
    from fvae.files import read_array, read_json, write_json

    _one_of("METRIC", metric, METRICS)
    chosen = _experiment(experiment, model)
    run = layout.Run(experiment, model, seed)
    images, settings = load_images(layout.data(experiment)), chosen.evaluation
    if metric == "bpd":
        value = metrics.bits_per_dim(_trained(chosen, run), images.split("test"), settings.bpd, seed)
    elif metric == "special_case":
        if chosen.models[model].kind not in ("vae", "flow"):
            raise UserError(f"--model: {model} is neither a VAE nor a flow, the special cases of equation (6)")
        value = special_case(_trained(chosen, run), images.split("test")[:SPECIAL_CASE_IMAGES], seed)
    elif metric == "temperature":
        sheets, patches = read_array(run.samples("temperatures"), "sample temperatures"), settings.swd.patches
        value = metrics.by_temperature(sheets, images.split("test"), chosen.sampling, patches, seed)
    else:
        samples = read_array(run.samples("random"), "sample random")
        if metric == "sharpness":
            value = metrics.sharpness(_trained(chosen, run), samples, images.split("test"), settings.sharpness)
        elif metric == "swd":
            value = metrics.sliced_wasserstein(samples, images.split("train"), images.split("test"), settings.swd, seed)
        else:
            reference = load_reference(layout.reference(experiment), digest(images))
            weights = read_json(layout.INCEPTION_STATUS, "inception")
            value = metrics.inception_metrics(samples, reference, settings.fid, weights, seed)
    write_json(run.metric(metric), value)


@app.command()
def inception() -> None:
    """Fetch the weights of FID's network, or check those that params.yaml names, and note where they are."""
    from fvae.evaluation.inception import fetch, verify
    from fvae.files import write_json

    path = load().inception.path
    status: dict[str, str | None] = {"path": str(path or layout.INCEPTION_WEIGHTS), "reason": None}
    try:
        if path is None and not layout.INCEPTION_WEIGHTS.exists():
            fetch(layout.INCEPTION_WEIGHTS)
        verify(path or layout.INCEPTION_WEIGHTS)
    except UserError as error:
        if path is not None:
            raise
        status = {"path": None, "reason": str(error)}
        print(f"fvae: FID will be n/a: {error}", file=sys.stderr)
    write_json(layout.INCEPTION_STATUS, status)


@app.command()
def reference(experiment: ExperimentName) -> None:
    """Compute the Inception features of the training images, which FID and its kin compare samples with."""
    from fvae.data.dataset import load as load_images
    from fvae.evaluation.reference import digest, make
    from fvae.files import read_json

    settings = load().experiment(experiment).evaluation.fid
    images = load_images(layout.data(experiment))
    weights = read_json(layout.INCEPTION_STATUS, "inception")
    make(layout.reference(experiment), images.split("train"), digest(images), settings, weights)


@app.command()
def table(experiment: ExperimentName, name: str) -> None:
    """Write a table as CSV, Markdown and LaTeX: sizes, metrics, fidelity."""
    from fvae.paper import TABLES, make_table

    _one_of("NAME", name, TABLES)
    make_table(name, experiment, load().experiment(experiment))


@app.command()
def claims(experiment: ExperimentName) -> None:
    """Decide the paper's claims from what was measured: results/EXPERIMENT/claims.md."""
    from fvae.paper.claims import write

    write(experiment, load().experiment(experiment))


@app.command()
def article(experiment: ExperimentName) -> None:
    """Set tables, figures and claims as one PDF: paper_figures/EXPERIMENT/paper.pdf."""
    from fvae.paper.article import make

    make(experiment, load().experiment(experiment))


@app.command()
def figure(experiment: ExperimentName, name: str) -> None:
    """Draw a figure as PDF and PNG; see paper_figures/EXPERIMENT."""
    from fvae.paper import FIGURES, make_figure

    _one_of("NAME", name, tuple(FIGURES))
    make_figure(name, experiment, load().experiment(experiment))


@app.command()
def provenance(file: Annotated[Path, typer.Argument(help="A PDF or PNG of paper_figures.")]) -> None:
    """What a figure was made of: parameters, hash of the images, seeds, commit, versions, as JSON."""
    from fvae.provenance import read

    print(json.dumps(read(file), indent=2))


def _experiment(name: str, model: str) -> Experiment:
    """An experiment that has such a model."""
    experiment = load().experiment(name)
    _one_of("--model", model, tuple(experiment.models))
    return experiment


def _trained(experiment: Experiment, run: layout.Run) -> Any:
    """The model as it was trained, with its chosen weights, on the GPU where there is one."""
    from fvae.models.build import build, read_spec
    from fvae.training.checkpoint import load_weights
    from fvae.training.machine import default_device

    model = build(read_spec(run.model_spec), experiment.data.size, experiment.data.bits)
    load_weights(run.weights, model)
    return model.to(default_device()).eval()


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"{what}: '{value}' is not one of {', '.join(allowed)}")


def main() -> None:
    """Run a command; a UserError, or memory that is full, is one line and exit code 1."""
    # Snakemake sets these to a rule's threads, and `--cores 1` to one: a job of ours has the machine to itself.
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    os.environ |= {"OMP_NUM_THREADS": str(cores), "MKL_NUM_THREADS": str(cores)}
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")  # 32-true means float32 on GPUs too: flows are inverted
    try:
        app()
    except UserError as error:
        sys.exit(f"fvae: {error}")
    except (MemoryError, RuntimeError) as error:
        if not memory_is_full(error):
            raise
        sys.exit("fvae: the memory is full; make room, or lower training.batch_size, and run it again")


if __name__ == "__main__":
    main()
