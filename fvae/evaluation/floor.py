"""The floor of each distance: what perfect samples would reach, by real images in the place of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from fvae import layout
from fvae.data.dataset import load, random_subsets
from fvae.evaluation.metrics import random_features
from fvae.evaluation.metrics.fid import inception_metrics
from fvae.evaluation.metrics.swd import over_sets
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.random_features import RandomFeatures
from fvae.evaluation.reference import Reference
from fvae.evaluation.reference import load as load_reference
from fvae.evaluation.spread import deviation, mean
from fvae.evaluation.swd import DistanceTo
from fvae.files import read_json
from fvae.params import Experiment, Portraits
from fvae.results import InceptionStatus
from fvae.training.machine import default_device

Found = TypeVar("Found")
SEED = 0  # of patches, directions and subsets of features; the floor belongs to no run


def measure(experiment_name: str, experiment: Experiment) -> dict[str, Any]:
    """The floors of an experiment's distances, each over as many subsets as there are draws of samples, by metric."""
    images = load(layout.data(experiment_name))
    reference = load_reference(layout.reference(experiment_name), images.digest())
    weights = read_json(layout.INCEPTION_STATUS, "inception", InceptionStatus)
    fidelity = of_fidelity(images.split("test"), experiment, reference, weights)
    return {
        "swd": of_swd(images.split("train"), images.split("test"), experiment),
        "portrait_distance": of_portraits(images.split("train"), images.split("test"), experiment),
        "random_features": of_random_features(images.split("train"), images.split("test"), experiment),
        "fid": of_fid(fidelity),
        "fidelity": fidelity,
    }


def of_swd(train: np.ndarray, test: np.ndarray, experiment: Experiment) -> dict[str, Any]:
    """SWD × 10³ between random subsets of training images and random subsets of as many test images.

    A subset has as many images as there are samples in swd.json, as far as there are training images.
    """
    settings, random = experiment.evaluation.swd, experiment.sampling.random
    images = min(settings.images, random.images, len(train), len(test))

    def distance_to(real: np.ndarray) -> DistanceTo:
        return DistanceTo(real, patches=settings.patches, seed=SEED, device=default_device())

    means, summary = over_sets(between_subsets(train, test, images, random.draws, distance_to))
    return {**summary, "subsets": means, "images": images}


def of_portraits(train: np.ndarray, test: np.ndarray, experiment: Experiment) -> dict[str, Any] | None:
    """The portrait distance between such subsets; None of photographs."""
    if not isinstance(experiment.data, Portraits):
        return None
    random = experiment.sampling.random
    images = min(experiment.evaluation.portrait_distance.images, random.images, len(train), len(test))
    distances = list(between_subsets(train, test, images, random.draws, PortraitDistance))
    return {
        "mean": mean(distances),
        "standard_deviation": deviation(distances),
        "subsets": distances,
        "images": images,
    }


def of_random_features(train: np.ndarray, test: np.ndarray, experiment: Experiment) -> dict[str, Any]:
    """What random_features.json says, between such subsets as SWD has."""
    random = experiment.sampling.random
    images = min(experiment.evaluation.swd.images, random.images, len(train), len(test))
    return random_features.over_sets(between_subsets(train, test, images, random.draws, RandomFeatures), images)


def between_subsets(
    train: np.ndarray,
    test: np.ndarray,
    images: int,
    number: int,
    distance_to: Callable[[np.ndarray], Callable[..., Found]],
) -> Iterator[Found]:
    """The distances of random subsets of training images to random subsets of as many test images.

    `distance_to` prepares a subset of test images; all subsets are the same where there are no more test images.
    """
    known = None
    for theirs, ours in zip(
        random_subsets(train, images, number, "floor/train"),
        random_subsets(test, images, number, "floor/test"),
        strict=True,
    ):
        if ours is not known:
            known, distance = ours, distance_to(ours)
        yield distance(theirs)


def of_fidelity(
    test: np.ndarray, experiment: Experiment, reference: Reference | str, weights: dict[str, str | None]
) -> dict[str, Any]:
    """`inception_metrics` of random subsets of test images; of all of them once, where there are no more than samples.

    One set has no standard deviation.
    """
    images = min(experiment.evaluation.fid.images, len(test))
    number = experiment.sampling.random.draws if images < len(test) else 1
    return inception_metrics(list(random_subsets(test, images, number, "floor/test")), reference, weights, SEED)


def of_fid(fidelity: dict[str, Any]) -> dict[str, Any]:
    """What the floor says of FID only: of how many images, or why there is none."""
    return {
        "mean": fidelity["fid"],
        "standard_deviation": fidelity["fid_standard_deviation"],
        "subsets": fidelity.get("fid_draws", []),
        "images": fidelity.get("images", 0),
        "reason": fidelity["reason"],
    }
