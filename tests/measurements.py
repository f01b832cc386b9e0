"""What commands write about a run, made up: complete files, whose numbers a test can change."""

import json
from functools import cache

import numpy as np
import pandas as pd

from fvae import layout
from fvae.evaluation import TASKS
from fvae.models.build import describe
from fvae.models.match import resized
from fvae.params import free_sizes

FEATURE_NUMBERS = ("fid", "fid_infinity", "kid", "kid_deviation", "precision", "recall", "density", "coverage")
NO_WEIGHTS = {
    "reason": "no weights",
    **{key: None for name in FEATURE_NUMBERS for key in (name, f"{name}_standard_deviation")},
}
MEASURED_FID = {
    **dict.fromkeys(NO_WEIGHTS, 0.5),
    "reason": None,
    "fid": 10.0,
    "fid_standard_deviation": 0.2,
    "fid_infinity_reason": None,
    "kid": 0.0321,
    "kid_deviation": 0.0012,
    "images": 9000,
    "reference_images": 27000,
    "kid_images": {"samples": 9000, "reference": 10000, "subset": 1000},
    "kid_subsets": 100,
    "manifold_images": 9000,
    "manifold_neighbours": {"precision_recall": 3, "density_coverage": 5},
}
RANDOM_FEATURES = {
    **dict.fromkeys(("precision", "recall", "density", "coverage"), 0.5),
    **{f"{name}_standard_deviation": 0.01 for name in ("precision", "recall", "density", "coverage")},
    "frechet": 7.5,
    "frechet_standard_deviation": 0.25,
    "frechet_draws": [7.25, 7.75],
    "images": 40,
    "network_seed": 0,
}
SHARES = {
    "hair": {"bald": 0.1, "long": 0.6, "bun": 0.3},
    **{name: {"first": 0.5, "second": 0.3, "third": 0.2} for name in ("beard", "glasses", "neckline", "texture")},
    "hat": {"none": 0.9, "worn": 0.1},
}
FREQUENCIES = [float(power) for power in range(40, 7, -2)]


def metrics(exact=False, **changes):
    """The metrics of a run by name; `changes` of a metric's keys, as swd={"mean": 20.0}."""
    found = {
        "bpd": {
            "bpd": 4.0,
            "standard_error": 0.01,
            "bound": not exact,
            "elbo": None if exact else 9.0,
            "images": 50,
        },
        "swd": {
            "swd": {"32": 10.0, "16": 20.0},
            "swd_standard_deviation": {"32": 0.3, "16": 0.4},
            "mean": 15.0,
            "standard_deviation": 0.6,
            "draws": [14.4, 15.0, 15.6],
            "images": 40,
        },
        "portrait_distance": {
            "portrait_distance": 12.0,
            "standard_deviation": 0.5,
            "draws": [11.5, 12.5],
            "images": 40,
            "reason": None,
            "shares": SHARES,
            "shares_of_test_images": SHARES,
            "true_shares": SHARES,
        },
        "random_features": RANDOM_FEATURES,
        "fid": NO_WEIGHTS,
        "sharpness": {
            "high_frequency_db": -1.5,
            "high_frequency_db_standard_deviation": 0.1,
            "deviation_db": 1.6,
            "images": 40,
            "reconstructions": {
                "detail": 0.7,
                "high_frequency_db": -2.5,
                "psnr": None if exact else 20.0,
                "ssim": 0.9,
                "images": 30,
            },
            "spectrum": {"radius": list(range(len(FREQUENCIES)))}
            | dict.fromkeys(("test", "samples", "reconstructed", "reconstructions", "transfer"), FREQUENCIES),
        },
        "temperature": {"temperatures": [0.6, 0.7, 0.8, 0.9, 1.0], "swd": [9.0, 8.0, 7.0, 6.0, 5.0], "images": 40},
        "sources": {
            "sources": ["standard", "marginals", "gaussian"],
            "swd": [120.0, 110.0, 30.0],
            "portrait_distance": [90.0, 80.0, 20.0],
            "images": 16,
        },
        "grain": {"without_noise": {"32": 70.0, "16": 20.0}, "with_noise": {"32": 30.0, "16": 21.0}, "images": 25},
        "interpolation": {"model": [0.9, 0.8, 0.9], "cross_fade": [0.9, 0.6, 0.9], "real": 0.95, "reason": None},
        "special_case": {"is": "made up", "difference": 1e-12, "nats": 2000.0, "images": 32},
    }
    return {name: value | changes.get(name, {}) for name, value in found.items()}


def floor(fidelity=NO_WEIGHTS):
    """What perfect samples would reach; `fidelity` is of test images."""
    return {
        "swd": {
            "swd": {"32": 1.0, "16": 2.0},
            "swd_standard_deviation": {"32": 0.1, "16": 0.2},
            "mean": 1.5,
            "standard_deviation": 0.15,
            "subsets": [1.35, 1.5, 1.65],
            "images": 38,
        },
        "portrait_distance": {"mean": 1.2, "standard_deviation": 0.1, "subsets": [1.1, 1.3], "images": 40},
        "random_features": RANDOM_FEATURES | {"frechet": 1.25, "frechet_standard_deviation": 0.0625, "images": 38},
        "fid": {
            "mean": fidelity["fid"],
            "standard_deviation": fidelity["fid_standard_deviation"],
            "subsets": [] if fidelity["fid"] is None else [9.8, 10.2],
            "images": fidelity.get("images", 0),
            "reason": fidelity["reason"],
        },
        "fidelity": fidelity,
    }


def write_json(path, value):
    """A JSON file in a folder that may not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_metrics(run, **arguments):
    """The files of `metrics`."""
    for name, value in metrics(**arguments).items():
        write_json(run.metric(name), value)


def write_corruptions(experiment_name, portraits=True):
    """corruptions.json: SWD answers to blur alone; of photographs there is no portrait distance."""
    means = {"swd": 10, "random_features_frechet": 3, "random_features_recall": 0.75}
    same = {"random_features_frechet": [9.0, 15.0], "random_features_recall": [0.5, 0.25]}
    if portraits:
        means, same = {"portrait_distance": 2} | means, {"portrait_distance": [4.0, 8.0]} | same
    found = {
        name: {"unit": "share", "strengths": [0.5, 1.0], "distances": same | {"swd": [10.0 * change, 20.0 * change]}}
        for name, change in (("blur", 2), ("contrast", 1), ("only_bald", 1), ("noise", 1))
    }
    floors = {name: {"mean": mean, "standard_deviation": 0.1, "subsets": [mean]} for name, mean in means.items()}
    write_json(layout.corruptions(experiment_name), {"images": 40, "floor": floors, "corruptions": found})


def write_matched(experiment_name, experiment):
    """model.json of every model, with a small size where the experiment says to match it."""
    for model, spec in experiment.models.items():
        write_json(layout.model(experiment_name, model), matched(spec, experiment.data.size))


@cache
def matched(spec, image_size):
    """A model of a size that is given, and what it costs."""
    spec = resized(spec, 16) if free_sizes(spec) else spec
    return {"spec": spec.model_dump(mode="json"), "size": describe(spec, image_size)}


def write_training(run, *, seconds=1000.0, device="a toaster", **curves):
    """training.json and history.csv of a run, of three validations."""
    write_json(run.training, {"seconds": seconds, "device": device, "peak_memory": 2**30, "weights_sha256": run.model})
    columns = {"images": [10, 20, 30], "seconds": [5.0, 10.0, 15.0], "train_bpd": [7.0, 6.0, 5.0]}
    pd.DataFrame(columns | {"bpd": [6, 5, 4], "swd": [3, 2, 1], "portrait_distance": [90, 30, 20]} | curves).to_csv(
        run.history, index=False
    )


def write_samples(run, experiment):
    """Noise in place of the images of every task."""
    sampling, side = experiment.sampling, (3, experiment.data.size, experiment.data.size)
    shapes = {
        "random": (2, 48),
        "sheets": (sampling.sheets.images,),
        "temperatures": (len(sampling.temperatures.temperatures), sampling.temperatures.images),
        "reconstructions": (2, 6),
        "interpolation": (2, 4),
        "interpolation_four": (2, 3, 3),
        "sources": (4, 16),
        "grain": (2, 25),
    }
    assert set(shapes) == set(TASKS)
    for task, shape in shapes.items():
        run.samples(task).parent.mkdir(parents=True, exist_ok=True)
        np.save(run.samples(task), np.random.default_rng(0).integers(0, 256, (*shape, *side), dtype=np.uint8))
