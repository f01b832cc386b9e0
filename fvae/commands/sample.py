"""The `sample` command: images of a trained model for metrics and figures."""

from __future__ import annotations

from fvae import layout
from fvae.commands.arguments import experiment_with, one_of
from fvae.data.dataset import load as load_images
from fvae.evaluation import TASKS
from fvae.evaluation.sampling import generate
from fvae.evaluation.trained import load_trained
from fvae.files import write_array


def run(experiment_name: str, model: str, task: str, seed: int) -> None:
    """Write the images of a task to the run's samples/TASK.npy. Raises UserError where the run is not trained."""
    one_of("TASK", task, TASKS)
    experiment = experiment_with(experiment_name, model)
    trained = layout.Run(experiment_name, model, seed)
    held_out = load_images(layout.data(experiment_name)).split("test")
    images = generate(load_trained(experiment, trained), task, experiment.sampling, held_out, seed)
    write_array(trained.samples(task), images)
