"""A trained model, read from its run's folder."""

from __future__ import annotations

from fvae import layout
from fvae.models.base import Model
from fvae.models.build import build, read_spec
from fvae.params import Experiment
from fvae.training.checkpoint import load_weights
from fvae.training.machine import default_device


def load_trained(experiment: Experiment, run: layout.Run) -> Model:
    """The model with the weights that its training kept, `training.keep`, on the GPU where there is one.

    Raises UserError where the run is not trained or its files do not fit each other.
    """
    model = build(read_spec(run.model_spec, run.command("train")), experiment.data.size, experiment.data.bits)
    load_weights(run.weights, model, run.command("train"))
    return model.to(default_device()).eval()
