"""The reference: whole, of these images, or the reason why there is none."""

from pathlib import Path
from statistics import stdev

import numpy as np
import pytest
from pydantic import TypeAdapter

from fvae import layout
from fvae.data.dataset import ImageArray
from fvae.data.dataset import load as load_images
from fvae.data.prepare import prepare_portraits
from fvae.errors import UserError
from fvae.evaluation import feature_numbers, fid, reference
from fvae.evaluation.metrics.fid import FROM_FEATURES, inception_metrics, measure
from fvae.files import write_array, write_json
from fvae.params import FID, Portraits
from fvae.params import load as load_params
from fvae.results import FORMS

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (60, 3, 8, 8), dtype=np.uint8)
DRAWS = RNG.integers(0, 200, (3, 30, 3, 8, 8), dtype=np.uint8)
ROOT, DATA = Path(__file__).parents[2], layout.data("demo")
SETTINGS = FID(mode="optional", images=30)
WEIGHTS = {"path": "weights.pth", "reason": None}
NONE = {"path": None, "reason": "no weights here"}


@pytest.fixture(autouse=True)
def _small_network(monkeypatch):
    """Twelve features that are quickly computed."""
    for module in (fid, feature_numbers):
        monkeypatch.setattr(module, "inception", lambda path, device: None)
        monkeypatch.setattr(
            module, "features", lambda images, network, device: images.reshape(len(images), -1)[:, :12] / 255.0
        )


def test_it_is_read_as_it_was_made(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "KEPT", 20)
    reference.make(tmp_path / "r.npz", IMAGES, "digest", SETTINGS, WEIGHTS)
    found = reference.load(tmp_path / "r.npz", "digest")
    whole = IMAGES.reshape(60, -1)[:, :12] / 255.0
    np.testing.assert_allclose(found.statistics[0], whole.mean(0))
    np.testing.assert_allclose(found.statistics[1], np.cov(whole, rowvar=False))
    np.testing.assert_allclose(found.root @ found.root, found.statistics[1], atol=1e-12)
    np.testing.assert_allclose(found.root, found.root.T, atol=1e-12)
    assert found.images == 60
    assert len(found.features) == 20
    rows = [int((row == whole).all(1).argmax()) for row in found.features]
    np.testing.assert_array_equal(found.features, whole[rows])
    assert rows != sorted(rows)  # so that the first of them are a random choice too
    assert len(set(rows)) == 20


def test_of_other_images_or_missing_it_is_refused(tmp_path):
    reference.make(tmp_path / "r.npz", IMAGES, "digest", SETTINGS, WEIGHTS)
    with pytest.raises(UserError, match="of other training images; make it again"):
        reference.load(tmp_path / "r.npz", "another")
    with pytest.raises(UserError, match="missing; make it first: python -m fvae reference"):
        reference.load(tmp_path / "none.npz", "digest")


def test_of_another_split_of_the_same_images_it_is_refused(tmp_path):
    def prepared(train):
        return ImageArray(IMAGES, ["train"] * train + ["test"] * (60 - train), {"images_sha256": "the same"})

    fifty, forty = prepared(50), prepared(40)
    reference.make(tmp_path / "r.npz", fifty.split("train"), fifty.digest(), SETTINGS, WEIGHTS)
    assert reference.load(tmp_path / "r.npz", prepared(50).digest()).images == 50
    with pytest.raises(UserError, match="of other training images; make it again"):
        reference.load(tmp_path / "r.npz", forty.digest())


@pytest.mark.parametrize(
    ("mode", "weights", "reason"), [("optional", NONE, "no weights here"), ("off", WEIGHTS, "mode is off")]
)
def test_without_weights_everything_is_none_with_the_reason(tmp_path, mode, weights, reason):
    settings = FID(mode=mode, images=30)
    reference.make(tmp_path / "r.npz", IMAGES, "digest", settings, weights)
    found = inception_metrics(DRAWS, reference.load(tmp_path / "r.npz", "digest"), weights, seed=0)
    assert reason in found.pop("reason")
    assert found == {key: None for name in FROM_FEATURES for key in (name, f"{name}_standard_deviation")}


def test_required_without_weights_stops(tmp_path):
    with pytest.raises(UserError, match="no weights here"):
        reference.make(tmp_path / "r.npz", IMAGES, "digest", FID(mode="required", images=30), NONE)


def test_all_numbers_of_a_draw_come_from_one_pass(tmp_path):
    """Twelve features: of 60 images FID∞ is given, and of 30 the reason why not."""
    reference.make(tmp_path / "r.npz", IMAGES, "digest", SETTINGS, WEIGHTS)
    loaded = reference.load(tmp_path / "r.npz", "digest")
    found = inception_metrics(IMAGES[None, ::-1], loaded, WEIGHTS, seed=0)
    assert all(np.isfinite(found[name]) for name in FROM_FEATURES)
    assert all(found[f"{name}_standard_deviation"] is None for name in FROM_FEATURES)  # of one draw
    assert found["fid_infinity_reason"] is None
    assert TypeAdapter(FORMS["fid"]).validate_python(found) == found
    found = inception_metrics(DRAWS, loaded, WEIGHTS, seed=0)
    assert all(np.isfinite(found[name]) for name in FROM_FEATURES if name != "fid_infinity")
    assert found["fid_infinity"] is None
    assert found["fid_infinity_standard_deviation"] is None
    assert "15 images, less than twice the 12 features" in found["fid_infinity_reason"]
    assert found["images"] == found["manifold_images"] == 30
    assert found["kid_images"] == {"samples": 30, "reference": 60, "subset": 30}
    assert found["reference_images"] == 60


def test_each_number_is_the_mean_over_draws_with_its_deviation(tmp_path):
    reference.make(tmp_path / "r.npz", IMAGES, "digest", SETTINGS, WEIGHTS)
    loaded = reference.load(tmp_path / "r.npz", "digest")
    together = inception_metrics(DRAWS, loaded, WEIGHTS, seed=0)
    alone = [inception_metrics(draw[None], loaded, WEIGHTS, seed=0) for draw in DRAWS]
    for name in set(FROM_FEATURES) - {"fid_infinity"}:
        values = [found[name] for found in alone]
        assert together[f"{name}_draws"] == values
        assert together[name] == pytest.approx(sum(values) / 3)
        assert together[f"{name}_standard_deviation"] == pytest.approx(stdev(values))
    assert together["fid_standard_deviation"] > 0


def test_fid_of_a_run_takes_so_many_of_each_draw_as_the_parameters_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare_portraits(Portraits(kind="portraits", size=16, bits=8, train=40, validation=2, test=2, seed=0), DATA)
    images = load_images(DATA)
    reference.make(layout.reference("demo"), images.split("train"), images.digest(), SETTINGS, WEIGHTS)
    write_json(layout.INCEPTION_STATUS, WEIGHTS)
    run = layout.Run("demo", "fvae", 0)
    experiment = load_params(ROOT / "params.yaml").experiments["demo"]
    evaluation = experiment.evaluation.model_copy(update={"fid": SETTINGS})
    experiment = experiment.model_copy(update={"evaluation": evaluation})
    samples = RNG.integers(0, 256, (2, 36, 3, 16, 16), dtype=np.uint8)
    write_array(run.samples("random"), samples)
    found = measure("demo", experiment, run)
    loaded = reference.load(layout.reference("demo"), images.digest())
    assert found == inception_metrics(samples[:, :30], loaded, WEIGHTS, seed=0)
    assert len(found["fid_draws"]) == 2
    write_array(run.samples("random"), samples[:, :20])
    with pytest.raises(UserError, match=r"evaluation\.fid\.images: 30, but sampling\.random\.images is 20"):
        measure("demo", experiment, run)
