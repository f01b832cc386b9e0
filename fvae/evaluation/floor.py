"""The floor of each distance: what perfect samples would reach, by real images in the place of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae import layout
from fvae.data.dataset import load, random_subsets
from fvae.evaluation.metrics.fid import inception_metrics
from fvae.evaluation.metrics.swd import over_sets
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.reference import Reference, digest
from fvae.evaluation.reference import load as load_reference
from fvae.evaluation.spread import deviation, mean
from fvae.evaluation.swd import DistanceTo
from fvae.files import read_json
from fvae.params import Experiment, Portraits
from fvae.results import InceptionStatus
from fvae.training.machine import default_device

SEED = 0  # of patches, directions and subsets of features; the floor belongs to no run


def measure(experiment_name: str, experiment: Experiment) -> dict[str, Any]:
    """The floors of an experiment's distances, each over as many subsets as there are draws of samples, by metric."""
    images = load(layout.data(experiment_name))
    reference = load_reference(layout.reference(experiment_name), digest(images))
    weights = read_json(layout.INCEPTION_STATUS, "inception", InceptionStatus)
    fidelity = of_fidelity(images.split("test"), experiment, reference, weights)
    return {
        "swd": of_swd(images.split("train"), images.split("test"), experiment),
        "portrait_distance": of_portraits(images.split("train"), images.split("test"), experiment),
        "fid": of_fid(fidelity),
        "fidelity": fidelity,
    }


def of_swd(train: np.ndarray, test: np.ndarray, experiment: Experiment) -> dict[str, Any]:
    """SWD × 10³ between random subsets of training images and random subsets of as many test images.

    A subset has as many images as there are samples in swd.json, as far as there are training images.
    """
    settings, random = experiment.evaluation.swd, experiment.sampling.random
    images = min(settings.images, random.images, len(train), len(test))
    pairs = zip(
        random_subsets(train, images, random.draws, "floor/train"),
        random_subsets(test, images, random.draws, "floor/test"),
        strict=True,
    )
    device, patches = default_device(), settings.patches
    means, summary = over_sets(
        DistanceTo(ours, patches=patches, seed=SEED, device=device)(theirs) for theirs, ours in pairs
    )
    return {**summary, "subsets": means, "images": images}


def of_portraits(train: np.ndarray, test: np.ndarray, experiment: Experiment) -> dict[str, Any] | None:
    """The portrait distance between such subsets; None of photographs."""
    if not isinstance(experiment.data, Portraits):
        return None
    random = experiment.sampling.random
    images = min(experiment.evaluation.portrait_distance.images, random.images, len(train), len(test))
    pairs = zip(
        random_subsets(train, images, random.draws, "floor/train"),
        random_subsets(test, images, random.draws, "floor/test"),
        strict=True,
    )
    distances = [PortraitDistance(ours)(theirs) for theirs, ours in pairs]
    return {
        "mean": mean(distances),
        "standard_deviation": deviation(distances),
        "subsets": distances,
        "images": images,
    }


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
    """What the floor says of FID alone: of how many images, or why there is none."""
    return {
        "mean": fidelity["fid"],
        "standard_deviation": fidelity["fid_standard_deviation"],
        "subsets": fidelity.get("fid_draws", []),
        "images": fidelity.get("images", 0),
        "reason": fidelity["reason"],
    }
