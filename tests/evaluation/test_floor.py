"""The floor: random images of train and test, each in the place of samples, and not the first ones."""

from pathlib import Path

import numpy as np
import pytest

from fvae import params
from fvae.data import portraits
from fvae.evaluation import feature_numbers, fid, floor, reference
from fvae.evaluation.metrics.fid import inception_metrics
from fvae.evaluation.swd import DistanceTo
from fvae.params import FID

PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")
EXPERIMENT, PHOTOGRAPHS = PARAMS.experiments["demo"], PARAMS.experiments["lfw64"]
RNG = np.random.default_rng(0)
WEIGHTS = {"path": "weights.pth", "reason": None}


def with_settings(*, swd=20, samples=30, draws=3, fid=20):
    """The experiment `demo` with other numbers of images."""
    values = EXPERIMENT.model_dump()
    values["sampling"]["random"] |= {"images": samples, "draws": draws}
    values["evaluation"]["swd"] = {"images": swd, "patches": 8}
    values["evaluation"]["fid"] = {"mode": "optional", "images": fid}
    values["figures"]["sheet"] = [2, 2]
    return params.Experiment(**values)


def noise(n, scale=30.0):
    """Grey images with noise, whose standard deviation is the same in all of them or differs from image to image."""
    deviations = np.broadcast_to(scale, n)[:, None, None, None]
    return (99 + deviations * RNG.normal(size=(n, 3, 16, 16))).clip(0, 255).astype(np.uint8)


def test_of_a_sorted_set_the_floor_is_that_of_a_random_part():
    """Half of the images are noisier; in the training set they are the last ones."""
    train, test = noise(200, np.repeat([3.0, 60.0], 100)), noise(60, RNG.permutation(np.repeat([3.0, 60.0], 30)))
    found = floor.of_swd(train, test, with_settings(samples=60, swd=40))
    assert found["images"] == 40
    assert len(found["subsets"]) == len(set(found["subsets"])) == 3
    assert found["mean"] == pytest.approx(np.mean(found["subsets"]))
    assert found["standard_deviation"] == pytest.approx(np.std(found["subsets"], ddof=1))
    assert found["mean"] == pytest.approx(found["swd"][16])
    first = DistanceTo(test[:40], patches=8, seed=0)(train[:40])
    assert found["mean"] < 0.5 * first[16]


@pytest.mark.parametrize(("train", "test", "images"), [(200, 60, 20), (15, 60, 15), (200, 12, 12)])
def test_subsets_are_as_large_as_the_samples_comparison_where_there_are_so_many(train, test, images):
    found = floor.of_swd(noise(train), noise(test), with_settings())
    assert found["images"] == images


def test_portraits_have_a_floor_and_photographs_have_none():
    """It is that of as many random training and test portraits; brighter test portraits are farther."""
    train, test = portraits.draw(np.arange(90), 32, 0), portraits.draw(np.arange(90, 150), 32, 0)
    experiment = with_settings(samples=40)
    found = floor.of_portraits(train, test, experiment)
    assert found["images"] == 40
    assert len(set(found["subsets"])) == 3
    assert found["mean"] == pytest.approx(np.mean(found["subsets"]))
    assert found["standard_deviation"] == pytest.approx(np.std(found["subsets"], ddof=1))
    assert floor.of_portraits(train, 128 + test // 2, experiment)["mean"] > 1.5 * found["mean"]
    photographs = experiment.model_copy(update={"data": PHOTOGRAPHS.data})
    assert floor.of_portraits(train, test, photographs) is None


def test_random_features_have_the_floor_of_as_many_images_as_swd():
    train, test = portraits.draw(np.arange(90), 32, 0), portraits.draw(np.arange(90, 150), 32, 0)
    experiment = with_settings(swd=25)
    found = floor.of_random_features(train, test, experiment)
    assert found["images"] == 25
    assert len(set(found["frechet_draws"])) == 3
    assert found["frechet"] == pytest.approx(np.mean(found["frechet_draws"]))
    assert found["frechet_standard_deviation"] == pytest.approx(np.std(found["frechet_draws"], ddof=1))
    assert floor.of_random_features(train // 2, test, experiment)["frechet"] > 1.5 * found["frechet"]


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """FID's reference of two hundred images with twelve quick features."""
    for module in (fid, feature_numbers):
        monkeypatch.setattr(module, "inception", lambda path, device: None)
        monkeypatch.setattr(
            module, "features", lambda images, network, device: images.reshape(len(images), -1)[:, :12] / 255.0
        )
    images, settings = noise(200), FID(mode="optional", images=20)
    reference.make(tmp_path / "r.npz", images, "digest", settings, WEIGHTS)
    return reference.load(tmp_path / "r.npz", "digest")


def test_fid_of_test_images_is_measured_against_the_samples_reference(loaded):
    test = noise(50)
    found = floor.of_fid(floor.of_fidelity(test, with_settings(), loaded, WEIGHTS))
    assert found["images"] == 20
    assert len(found["subsets"]) == len(set(found["subsets"])) == 3
    assert found["standard_deviation"] == pytest.approx(np.std(found["subsets"], ddof=1))
    assert found["mean"] == pytest.approx(np.mean(found["subsets"]))
    other = floor.of_fid(floor.of_fidelity(test // 2, with_settings(), loaded, WEIGHTS))
    assert other["mean"] > 2 * found["mean"]


def test_where_all_test_images_are_needed_fid_has_one_subset_and_no_deviation(loaded):
    test = noise(18)
    fidelity = floor.of_fidelity(test, with_settings(), loaded, WEIGHTS)
    found = floor.of_fid(fidelity)
    assert found["images"] == 18
    assert found["subsets"] == [found["mean"]]
    assert found["standard_deviation"] is None
    assert found["mean"] == inception_metrics(test[None], loaded, WEIGHTS, seed=0)["fid"]


def test_without_weights_the_reason_is_kept():
    fidelity = floor.of_fidelity(noise(30), with_settings(), "no weights here", WEIGHTS)
    assert floor.of_fid(fidelity) == {
        "mean": None,
        "standard_deviation": None,
        "subsets": [],
        "images": 0,
        "reason": "no weights here",
    }
