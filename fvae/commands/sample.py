"""The `sample` command: images of a trained model for metrics and figures.

The metric of a task that has one is measured in the same process, which takes less time than starting another.
"""

from __future__ import annotations

from importlib import import_module

from fvae import layout
from fvae.commands.arguments import experiment_with, one_of
from fvae.data.dataset import load as load_images
from fvae.errors import UserError
from fvae.evaluation import METRIC_OF, TASKS
from fvae.evaluation.latent_sources import images_of_sources
from fvae.evaluation.sampling import generate
from fvae.evaluation.trained import load_trained
from fvae.files import write_array, write_json


def run(experiment_name: str, model: str, task: str, seed: int) -> None:
    """Write the images of a task to the run's samples/TASK.npy, and its metric, if it has one, to metrics/METRIC.json.

    Raises UserError where the run is not trained, and for sources of latents of a flow.
    """
    one_of("TASK", task, TASKS)
    experiment = experiment_with(experiment_name, model)
    trained = layout.Run(experiment_name, model, seed)
    if task == "sources" and experiment.models[model].kind == "flow":
        raise UserError(f"--model: {model} is a flow, which has no decoder beside it")
    real = load_images(layout.data(experiment_name))
    net, settings = load_trained(experiment, trained), experiment.sampling
    if task == "sources":
        images = images_of_sources(net, real.split("train"), settings.sources.images, seed)
    else:
        images = generate(net, task, settings, real.split("test"), seed)
    write_array(trained.samples(task), images)
    if metric := METRIC_OF.get(task):
        measured = import_module(f"fvae.evaluation.metrics.{metric}").measure(experiment_name, experiment, trained)
        write_json(trained.metric(metric), measured)
