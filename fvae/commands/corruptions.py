"""The `corruptions` command: whether the distances of this project notice what makes images worse."""

from __future__ import annotations

from fvae import layout
from fvae.data.dataset import load as load_images
from fvae.data.dataset import random_images, random_subsets
from fvae.errors import UserError
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.soundness import Distance, measure, pools
from fvae.evaluation.swd import DistanceTo, mean_over_levels
from fvae.files import write_json
from fvae.params import Portraits, load
from fvae.training.machine import default_device

SEED = 0  # of the patches and directions of SWD
IMAGES = 500  # of each set, at most: enough to tell the strengths apart
FLOOR_SETS = 5


def run(experiment_name: str) -> None:
    """Write results/EXPERIMENT/runs/corruptions.json. Raises UserError for photographs."""
    experiment = load().experiment(experiment_name)
    data, settings = experiment.data, experiment.evaluation
    if not isinstance(data, Portraits):
        raise UserError(f"--experiment: {experiment_name} has no drawn portraits, of which `corruptions` is measured")
    images = load_images(layout.data(experiment_name))
    test, train = images.split("test"), images.split("train")
    n = min(IMAGES, settings.portrait_distance.images, settings.swd.images, len(test), len(train))
    compared = random_images(test, n, "evaluate/test")
    to_test = DistanceTo(compared, patches=settings.swd.patches, seed=SEED, device=default_device())
    distances: dict[str, Distance] = {
        "portrait_distance": PortraitDistance(compared),
        "swd": lambda images: mean_over_levels(to_test(images)),
    }
    subsets = random_subsets(train, n, FLOOR_SETS, "corruptions")
    write_json(layout.corruptions(experiment_name), measure(subsets, pools(data, train), distances, data.bits))
