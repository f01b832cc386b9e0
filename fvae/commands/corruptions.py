"""The `corruptions` command: whether the distances of this project notice what makes images worse."""

from __future__ import annotations

import numpy as np

from fvae import layout
from fvae.data.dataset import load as load_images
from fvae.data.dataset import random_images, random_subsets
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.random_features import RandomFeatures
from fvae.evaluation.soundness import Measure, measure, pools
from fvae.evaluation.swd import DistanceTo, mean_over_levels
from fvae.files import write_json
from fvae.params import Portraits, load
from fvae.training.machine import default_device

SEED = 0  # of the patches and directions of SWD
IMAGES = 500  # of each set, at most: enough to tell the strengths apart
FLOOR_SETS = 5


def run(experiment_name: str) -> None:
    """Write results/EXPERIMENT/runs/corruptions.json.

    Of photographs, whose kinds are not known, there is no portrait distance, and none are dropped by kind.
    """
    experiment = load().experiment(experiment_name)
    data, settings = experiment.data, experiment.evaluation.swd
    images = load_images(layout.data(experiment_name))
    test, train = images.split("test"), images.split("train")
    n = min(IMAGES, settings.images, len(test), len(train))
    numbers = numbers_beside(random_images(test, n, "evaluate/test"), settings.patches, isinstance(data, Portraits))
    dropped = pools(data, train) if isinstance(data, Portraits) else {}
    subsets = random_subsets(train, n, FLOOR_SETS, "corruptions")
    write_json(layout.corruptions(experiment_name), measure(subsets, dropped, numbers, data.bits))


def numbers_beside(real: np.ndarray, patches: int, portraits: bool) -> Measure:
    """All distances of a set of images to a real one, and the shares of random features, by name."""
    swd = DistanceTo(real, patches=patches, seed=SEED, device=default_device())
    random = RandomFeatures(real)
    portrait_distance = PortraitDistance(real) if portraits else None

    def numbers(images: np.ndarray) -> dict[str, float]:
        of_portraits = {} if portrait_distance is None else {"portrait_distance": portrait_distance(images)}
        in_random_features = {f"random_features_{name}": value for name, value in random(images).items()}
        return of_portraits | {"swd": mean_over_levels(swd(images))} | in_random_features

    return numbers
