"""Each corruption does what its name says, and the distance rises with each."""

from pathlib import Path

import numpy as np
import pytest

from fvae import layout, params
from fvae.commands import corruptions
from fvae.data.portraits import draw
from fvae.data.prepare import prepare_portraits
from fvae.evaluation.corruptions import CORRUPTIONS, blur, contrast, mixed, noise, swirl
from fvae.evaluation.portrait_distance import PortraitDistance
from fvae.evaluation.soundness import from_pool, measure, pools
from fvae.params import Portraits
from fvae.results import read_corruptions

ROOT = Path(__file__).parents[2]
EVALUATION = params.load(ROOT / "params.yaml").experiments["demo"].evaluation
SWD_OF_FEW = EVALUATION.swd.model_copy(update={"images": 12, "patches": 2})
DATA = Portraits(kind="portraits", size=32, bits=8, train=900, validation=1, test=400, seed=4)
TEST, TRAIN = draw(np.arange(901, 1301), 32, 4), draw(np.arange(900), 32, 4)
IMAGES = TRAIN[:400]


@pytest.fixture(scope="module")
def distance():
    return PortraitDistance(TEST)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_distance_rises_with_each_corruption(distance, name):
    corruption = CORRUPTIONS[name]
    strengths = corruption.strengths[1::2]
    found = [distance(IMAGES), *(distance(corruption.apply(IMAGES, each)) for each in strengths)]
    assert np.all(np.diff(found) > 0), found
    assert found[-1] > 2 * found[0]


@pytest.mark.parametrize("name", pools(DATA, TRAIN))
def test_the_distance_rises_as_modes_are_dropped(distance, name):
    corruption = from_pool(pools(DATA, TRAIN)[name])
    strengths = corruption.strengths[1::2]
    found = [distance(IMAGES), *(distance(corruption.apply(IMAGES, each)) for each in strengths)]
    assert max(found[:-1]) < found[-1], found
    assert found[-1] > 1.3 * found[0]


def test_strengths_rise():
    for corruption in CORRUPTIONS.values():
        assert np.all(np.diff(corruption.strengths) > 0)


def test_a_blurred_edge_is_a_bell_of_that_width():
    images = np.zeros((1, 3, 32, 32), np.uint8)
    images[..., 16:] = 200
    slope = np.diff(blur(images, 1.5)[0, 0, 16].astype(float))
    place = np.arange(len(slope))
    mean = (place * slope).sum() / slope.sum()
    assert np.sqrt(((place - mean) ** 2 * slope).sum() / slope.sum()) == pytest.approx(1.5, rel=0.05)
    assert blur(images.repeat(2, 2).repeat(2, 3), 1.5)[0, 0, 32, 28:36].std() > 0


def test_noise_has_its_deviation_in_grey_images():
    grey = np.full((20, 3, 32, 32), 128, np.uint8)
    assert noise(grey, 16.0).astype(float).std() == pytest.approx(16, rel=0.02)


def test_contrast_is_lost_and_the_mean_colour_stays():
    lost = contrast(IMAGES, 0.5).astype(float)
    np.testing.assert_allclose(lost.mean((0, 2, 3)), IMAGES.mean((0, 2, 3)), atol=0.3)  # levels: halves are rounded
    np.testing.assert_allclose(lost.std((0, 2, 3)), IMAGES.std((0, 2, 3)) / 2, rtol=0.01)


def test_a_swirl_moves_pixels_and_nothing_else():
    assert np.abs(swirl(IMAGES, 0.0).astype(int) - IMAGES).max() <= 1
    flat = np.full((3, 3, 32, 32), 77, np.uint8)
    np.testing.assert_array_equal(swirl(flat, 3.0), flat)
    changed = (np.abs(swirl(IMAGES, 2.0).astype(int) - IMAGES).max(1) > 8).mean()
    assert 0.05 < changed < 0.6


def test_a_share_of_images_is_from_the_pool():
    images, pool = np.zeros((50, 1, 1, 1), np.uint8), np.arange(1, 101, dtype=np.uint8).reshape(-1, 1, 1, 1)
    half = mixed(images, pool, 0.5)
    drawn = half[half > 0]
    assert len(drawn) == len(set(drawn.tolist())) == 25
    assert (mixed(images, pool, 1.0) > 0).all()
    assert (mixed(images, pool[:10], 1.0) > 0).all()  # too few of them: some twice
    assert not images.any()


def test_pools_lack_kinds():
    found = pools(DATA, TRAIN)
    assert 0.08 < len(found["only shorn heads"]) / 900 < 0.22
    assert 0.4 < len(found["only dark hair"]) / 900 < 0.6


def test_what_is_measured_is_each_distance_of_each_corruption():
    """Two made-up numbers of 5-bit images: how bright they are, and how many levels are not of 5 bits."""
    subsets = [TRAIN[:20] & 0xF8, TRAIN[20:40] & 0xF8]

    def numbers(images):
        return {"brightness": float(images.mean()), "others": float((images % 8).sum())}

    found = measure(iter(subsets), {"white": np.full((5, 3, 32, 32), 248, np.uint8), "none": TRAIN[:0]}, numbers, 5)
    assert found["images"] == 20
    means = [subset.mean() for subset in subsets]
    assert found["floor"]["brightness"]["mean"] == pytest.approx(np.mean(means))
    assert found["floor"]["brightness"]["standard_deviation"] == pytest.approx(np.std(means, ddof=1))
    assert found["floor"]["brightness"]["subsets"] == pytest.approx(means)
    assert list(found["corruptions"]) == [*CORRUPTIONS, "white"]
    white = found["corruptions"]["white"]
    assert white["distances"]["brightness"][-1] == 248
    assert np.all(np.diff(white["distances"]["brightness"]) > 0)
    assert not any(sum(each["distances"]["others"]) for each in found["corruptions"].values())


@pytest.mark.parametrize("data", [DATA, params.load(ROOT / "params.yaml").experiments["lfw64"].data])
def test_the_command_measures_portraits_and_photographs(tmp_path, monkeypatch, data):
    """Photographs have no portrait distance, and no kinds that could be dropped."""
    monkeypatch.chdir(tmp_path)
    small = DATA.model_copy(update={"size": 16, "train": 80, "test": 16})
    prepare_portraits(small, layout.data("demo"))
    portraits = data is DATA
    changed = {"data": small if portraits else data, "evaluation": EVALUATION.model_copy(update={"swd": SWD_OF_FEW})}
    experiment = params.load(ROOT / "params.yaml").experiments["demo"].model_copy(update=changed)
    monkeypatch.setattr(params.Params, "experiment", lambda *_: experiment)
    monkeypatch.setattr("fvae.commands.corruptions.load", params.Params.model_construct)
    corruptions.run("demo")
    found = read_corruptions("demo")
    shares = {f"random_features_{name}" for name in ("frechet", "precision", "recall", "density", "coverage")}
    assert set(found["floor"]) == shares | {"swd"} | ({"portrait_distance"} if portraits else set())
    assert set(found["corruptions"]) - set(CORRUPTIONS) == (set(pools(small, TRAIN[:80])) if portraits else set())
    assert found["images"] == 12
    noisy = found["corruptions"]["noise"]["distances"]
    assert set(noisy) == set(found["floor"])
    assert noisy["random_features_frechet"][-1] > 1.5 * found["floor"]["random_features_frechet"]["mean"]
