"""The `corruptions` command: whether the distances of this project notice what makes images worse."""

from __future__ import annotations

import numpy as np

from fvae import layout
from fvae.data.dataset import load as load_images
from fvae.errors import UserError
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.soundness import measure, pools
from fvae.evaluation.swd import descriptors, distance
from fvae.files import write_json
from fvae.params import Portraits, load
from fvae.seeding import numpy_generator
from fvae.training.machine import default_device

SEED = 0  # of the patches and directions of SWD
FLOOR_SETS = 5


def run(experiment_name: str) -> None:
    """Write results/EXPERIMENT/runs/corruptions.json. Raises UserError for photographs."""
    experiment = load().experiment(experiment_name)
    data, settings = experiment.data, experiment.evaluation
    if not isinstance(data, Portraits):
        raise UserError(f"--experiment: {experiment_name} has no drawn portraits, of which `corruptions` is measured")
    images = load_images(layout.data(experiment_name))
    test, train = images.split("test"), images.split("train")
    n = min(settings.portrait_distance.images, settings.swd.images, len(test), len(train))
    patches, device = settings.swd.patches, default_device()
    real = descriptors(test[:n], patches=patches, seed=SEED, device=device)

    def swd(others: np.ndarray) -> float:
        found = descriptors(others, patches=patches, seed=SEED, device=device)
        return float(np.mean(list(distance(real, found, seed=SEED).values())))

    subsets = [
        train[np.sort(numpy_generator(0, "corruptions", index).choice(len(train), n, replace=False))]
        for index in range(FLOOR_SETS)
    ]
    distances = {"portrait_distance": PortraitDistance(test[:n]), "swd": swd}
    write_json(layout.corruptions(experiment_name), measure(subsets, pools(data, train), distances, data.bits))
