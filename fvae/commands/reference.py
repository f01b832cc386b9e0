"""The `reference` command: what FID and the metrics beside it compare samples with."""

from __future__ import annotations

from fvae import layout
from fvae.data.dataset import load as load_images
from fvae.evaluation.reference import make
from fvae.files import read_json
from fvae.params import load
from fvae.results import InceptionStatus


def run(experiment_name: str) -> None:
    """Write the Inception features of all training images to results/EXPERIMENT/reference.npz.

    Raises UserError where FID is required and its weights are missing.
    """
    settings = load().experiment(experiment_name).evaluation.fid
    images = load_images(layout.data(experiment_name))
    weights = read_json(layout.INCEPTION_STATUS, "inception", InceptionStatus)
    make(layout.reference(experiment_name), images.split("train"), images.digest(), settings, weights)
