"""FID's reference set: the Inception features of all training images, computed once for all models and seeds."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from fvae.errors import UserError
from fvae.evaluation.frechet import square_root, statistics
from fvae.files import read_arrays, reading, write_arrays
from fvae.params import FID
from fvae.seeding import numpy_generator

KEPT = 10_000  # features kept beside the statistics, for KID and the manifolds


class Reference(NamedTuple):
    """What FID and the metrics beside it need of real images."""

    statistics: tuple[np.ndarray, np.ndarray]  # mean and covariance
    root: np.ndarray  # of the covariance
    features: np.ndarray  # of up to KEPT images in random order, (≤ KEPT, 2048)
    images: int  # of which mean and covariance are


def make(path: Path, train: np.ndarray, digest: str, settings: FID, weights: dict[str, str | None]) -> None:
    """Write the features of the training images, or the reason why there are none.

    Raises UserError where there are none and evaluation.fid.mode is required.
    """
    reason = "evaluation.fid.mode is off" if settings.mode == "off" else weights["reason"]
    if settings.mode == "required" and reason:
        raise UserError(reason)
    if reason or weights["path"] is None:
        write_arrays(path, reason=reason)
        return
    # PyTorch and torchvision take seconds to import, and without weights they are not needed.
    from fvae.evaluation.fid import features, inception
    from fvae.training.machine import default_device

    device = default_device()
    found = features(train, inception(Path(weights["path"]), device), device)
    mean, covariance = statistics(found)
    chosen = numpy_generator(0, "reference").permutation(len(found))[:KEPT]
    write_arrays(
        path,
        digest=digest,
        mean=mean,
        covariance=covariance,
        root=square_root(covariance),
        features=found[chosen],
        images=len(found),
    )


def load(path: Path, digest: str) -> Reference | str:
    """The reference, or the reason why there is none.

    Raises UserError where it is missing, damaged, or of other training images.
    """
    command = f"reference --experiment {path.parent.name}"
    arrays = read_arrays(path, command)
    if "reason" in arrays:
        return str(arrays["reason"])
    with reading(path, command):
        made_of = str(arrays["digest"])
        statistics = arrays["mean"], arrays["covariance"]
        reference = Reference(statistics, arrays["root"], arrays["features"], int(arrays["images"]))
        dims = len(reference.statistics[0])
        shapes = {reference.statistics[1].shape, reference.root.shape, (dims, reference.features.shape[1])}
        if shapes != {(dims, dims)}:
            raise ValueError("its arrays do not fit each other")
    if made_of != digest:
        raise UserError(f"{path}: of other training images; make it again: python -m fvae {command}")
    return reference
