"""The forms of the files that commands write about a run, and the functions that read them.

Tables, figures, claims and the summary read all numbers through this module. It imports no PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from fvae import layout
from fvae.files import read_array, read_json, read_table
from fvae.params import ModelSpec, TaggedModelSpec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Number = float | None  # null where it could not be computed
MORE = ConfigDict(extra="allow")  # a file may hold more than what is read from it


@with_config(MORE)
class Latent(TypedDict):
    """The latent z of a model."""

    dims: int
    shapes: list[list[int]]


@with_config(MORE)
class ModelSize(TypedDict):
    """What a model costs, as `fvae.models.build.describe` computes it."""

    parameters: int
    effective_parameters: int
    macs: int  # multiply-accumulates of equation (6) for one image
    noise: list[int]  # the shape of u
    latent: Latent


@with_config(MORE)
class MatchedModel(TypedDict):
    """model.json of a model."""

    spec: TaggedModelSpec
    size: ModelSize


@with_config(MORE)
class TrainingCost(TypedDict):
    """training.json of a run."""

    seconds: float
    peak_memory: int  # bytes
    device: str  # or several, separated by '; ', where a training was continued on another one


@with_config(MORE)
class BitsPerDim(TypedDict):
    """bpd.json of a run."""

    bpd: Number
    standard_error: Number
    bound: bool
    elbo: Number  # null of an exact model
    images: int


@with_config(MORE)
class Distance(TypedDict):
    """A distance: its mean over draws or subsets, and their standard deviation, null of a single one."""

    mean: Number
    standard_deviation: Number
    images: int  # in each draw or subset


@with_config(MORE)
class SlicedWasserstein(Distance):
    """SWD × 10³, the mean over levels, and by level: swd.json of a run, and a part of the floor."""

    swd: dict[str, Number]
    swd_standard_deviation: dict[str, Number]


class FeatureNumbers(TypedDict):
    """The numbers that are computed from Inception features: means over draws, and their standard deviations."""

    fid: Number
    fid_infinity: Number
    kid: Number
    kid_deviation: Number
    precision: Number
    recall: Number
    density: Number
    coverage: Number
    fid_standard_deviation: Number
    fid_infinity_standard_deviation: Number
    kid_standard_deviation: Number
    kid_deviation_standard_deviation: Number
    precision_standard_deviation: Number
    recall_standard_deviation: Number
    density_standard_deviation: Number
    coverage_standard_deviation: Number


class KidImages(TypedDict):
    """On how many images KID is measured."""

    samples: int
    reference: int
    subset: int


class ManifoldNeighbours(TypedDict):
    """Which neighbour's distance is the radius of a neighbourhood."""

    precision_recall: int
    density_coverage: int


@with_config(MORE)
class InceptionMetrics(FeatureNumbers):
    """fid.json of a run."""

    fid_infinity_reason: str | None  # why there is no FID∞
    images: int
    reference_images: int
    kid_images: KidImages
    kid_subsets: int
    manifold_images: int
    manifold_neighbours: ManifoldNeighbours


@with_config(MORE)
class NoInceptionMetrics(FeatureNumbers):
    """fid.json of a run without the weights of the network: all numbers are null."""

    reason: str


@with_config(MORE)
class RandomFeatures(TypedDict):
    """random_features.json of a run, and a part of the floor: means over draws or subsets, and standard deviations."""

    frechet: Number
    precision: Number
    recall: Number
    density: Number
    coverage: Number
    frechet_standard_deviation: Number
    precision_standard_deviation: Number
    recall_standard_deviation: Number
    density_standard_deviation: Number
    coverage_standard_deviation: Number
    frechet_draws: list[Number]
    images: int  # of each draw or subset, and of the test images
    network_seed: int


@with_config(MORE)
class FIDFloor(Distance):
    """FID of test images."""

    reason: str | None  # why there is none


@with_config(MORE)
class DistanceFloor(TypedDict):
    """A distance of several sets of real images: the mean, and the standard deviation, which one set does not have."""

    mean: Number
    standard_deviation: Number
    subsets: list[Number]


@with_config(MORE)
class Floor(TypedDict):
    """floor.json of an experiment: what perfect samples would reach."""

    swd: SlicedWasserstein
    portrait_distance: DistanceFloor | None  # null of photographs
    random_features: RandomFeatures
    fid: FIDFloor
    fidelity: InceptionMetrics | NoInceptionMetrics  # as fid.json, of test images in place of samples


@with_config(MORE)
class Reconstructions(TypedDict):
    """How near reconstructions are to their images."""

    detail: Number  # the share that is kept of the upper half of the frequencies
    high_frequency_db: Number
    psnr: Number  # null where the reconstructions are exact
    ssim: Number
    images: int


class Spectrum(TypedDict):
    """Power at each frequency, in cycles per image, of samples and of reconstructions, each with its real images.

    And the share of it that is reconstructed.
    """

    radius: list[int]
    test: list[float]
    samples: list[float]
    reconstructed: list[float]
    reconstructions: list[float]
    transfer: list[float]


@with_config(MORE)
class Sharpness(TypedDict):
    """sharpness.json of a run."""

    high_frequency_db: Number
    high_frequency_db_standard_deviation: Number
    deviation_db: Number  # from the power of real images, in the upper half of the frequencies
    images: int
    reconstructions: Reconstructions
    spectrum: Spectrum


Shares = dict[str, dict[str, float]]  # of the kinds of each factor of a portrait


@with_config(MORE)
class PortraitDistance(TypedDict):
    """portrait_distance.json of a run with drawn portraits."""

    portrait_distance: Number  # the mean over draws
    standard_deviation: Number  # over draws; null of one draw
    draws: list[Number]
    images: int  # of each draw, and of the test images
    reason: None
    shares: Shares  # as the network reads samples
    shares_of_test_images: Shares  # as it reads test images
    true_shares: Shares  # from which these were drawn


@with_config(MORE)
class NoPortraitDistance(TypedDict):
    """portrait_distance.json of a run with other images."""

    portrait_distance: None
    standard_deviation: None
    reason: str


class Corruption(TypedDict):
    """Distances, and shares of images, of real images that were corrupted at rising strengths."""

    unit: str  # of the strengths
    strengths: list[float]
    distances: dict[str, list[Number]]


class Corruptions(TypedDict):
    """corruptions.json of an experiment."""

    images: int  # of each set
    floor: dict[str, DistanceFloor]  # of real images as they are, by number
    corruptions: dict[str, Corruption]


@with_config(MORE)
class Temperatures(TypedDict):
    """temperature.json of a run."""

    temperatures: list[float]
    swd: list[Number]
    images: int


@with_config(MORE)
class Sources(TypedDict):
    """sources.json of a run: the distance of what is decoded from the latents of each source."""

    sources: list[str]
    swd: list[Number]
    portrait_distance: list[Number] | None  # null of photographs
    images: int


@with_config(MORE)
class Grain(TypedDict):
    """grain.json of a run: SWD × 10³ by level of decoded means, and of draws of q(x|z)."""

    without_noise: dict[str, Number]
    with_noise: dict[str, Number]
    images: int


@with_config(MORE)
class Interpolation(TypedDict):
    """interpolation.json of a run: the mean probability of the factors that are read, by step; null of photographs."""

    model: list[float] | None
    cross_fade: list[float] | None
    real: float | None
    reason: str | None


@with_config(MORE)
class SpecialCase(TypedDict):
    """special_case.json of a run."""

    difference: Number
    nats: Number


@with_config(MORE)
class InceptionStatus(TypedDict):
    """status.json of FID's network: where its weights are, or why there are none."""

    path: str | None
    reason: str | None


FORMS: dict[str, Any] = {
    "bpd": BitsPerDim,
    "swd": SlicedWasserstein,
    "portrait_distance": PortraitDistance | NoPortraitDistance,
    "random_features": RandomFeatures,
    "fid": InceptionMetrics | NoInceptionMetrics,
    "sharpness": Sharpness,
    "temperature": Temperatures,
    "special_case": SpecialCase,
    "sources": Sources,
    "grain": Grain,
    "interpolation": Interpolation,
}
HISTORY = ("images", "seconds", "bpd", "swd")  # columns that are read
SAMPLE_DIMS = {"sheets": 4, "interpolation_four": 6}  # dimensions of the array; 5 for the other tasks


def read_samples(run: layout.Run, task: str) -> np.ndarray:
    """The uint8 images of a sampling task of a run, memory-mapped. Raises UserError as `read_metric`."""
    return read_array(run.samples(task), run.command(f"sample {task}"), dims=SAMPLE_DIMS.get(task, 5))


def read_metric(run: layout.Run, name: str) -> dict[str, Any]:
    """A metric of a run. Raises UserError where it was not measured or its file is damaged."""
    return read_json(run.metric(name), run.command(f"evaluate {name}"), FORMS[name])


def read_floor(experiment_name: str) -> dict[str, Any]:
    """What perfect samples would reach. Raises UserError where it was not measured or its file is damaged."""
    return read_json(layout.floor(experiment_name), f"floor --experiment {experiment_name}", Floor)


def read_corruptions(experiment_name: str) -> dict[str, Any]:
    """Distances of corrupted images. Raises UserError where they were not measured or their file is damaged."""
    return read_json(layout.corruptions(experiment_name), f"corruptions --experiment {experiment_name}", Corruptions)


def read_cost(run: layout.Run) -> dict[str, Any]:
    """What the training of a run cost. Raises UserError where it is not trained or its file is damaged."""
    return read_json(run.training, run.command("train"), TrainingCost)


def read_history(run: layout.Run) -> pd.DataFrame:
    """The validations of a run, one row each. Raises UserError where it is not trained or its file is damaged."""
    return read_table(run.history, run.command("train"), numbers=HISTORY)


def read_matched(experiment_name: str, model: str) -> tuple[ModelSpec, dict[str, Any]]:
    """A model's section with its matched size, and its ModelSize. Raises UserError where `match` has not written it."""
    command = f"match --experiment {experiment_name} --model {model}"
    found = read_json(layout.model(experiment_name, model), command, MatchedModel)
    return found["spec"], found["size"]
