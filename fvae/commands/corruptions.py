"""The `corruptions` command: whether the distances of this project notice what makes images worse."""

from __future__ import annotations

from fvae import layout
from fvae.data.dataset import load as load_images
from fvae.data.dataset import random_images, random_subsets
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.random_features import RandomFeatures
from fvae.evaluation.soundness import Distance, measure, pools
from fvae.evaluation.swd import DistanceTo, mean_over_levels
from fvae.files import write_json
from fvae.params import Portraits, load
from fvae.training.machine import default_device

SEED = 0  # of the patches and directions of SWD
IMAGES = 500  # of each set, at most: enough to tell the strengths apart
FLOOR_SETS = 5


def run(experiment_name: str) -> None:
    """Write results/EXPERIMENT/runs/corruptions.json; of photographs without the portrait distance."""
    experiment = load().experiment(experiment_name)
    data, settings = experiment.data, experiment.evaluation
    images = load_images(layout.data(experiment_name))
    test, train = images.split("test"), images.split("train")
    n = min(IMAGES, settings.portrait_distance.images, settings.swd.images, len(test), len(train))
    compared = random_images(test, n, "evaluate/test")
    to_test = DistanceTo(compared, patches=settings.swd.patches, seed=SEED, device=default_device())
    distances: dict[str, Distance] = {
        "swd": lambda images: mean_over_levels(to_test(images)),
        "random_features": RandomFeatures(compared).frechet,
    }
    dropped = {}
    if isinstance(data, Portraits):
        distances = {"portrait_distance": PortraitDistance(compared)} | distances
        dropped = pools(data, train)
    subsets = random_subsets(train, n, FLOOR_SETS, "corruptions")
    write_json(layout.corruptions(experiment_name), measure(subsets, dropped, distances, data.bits))
