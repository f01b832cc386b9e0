"""The network as it is committed: its weights, what it reads, and images of every size."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save

from fvae.data.levels import coarse
from fvae.data.portraits import draw
from fvae.errors import UserError
from fvae.evaluation.factor_reader import network
from fvae.evaluation.factor_reader.factors import KINDS, true_kinds
from fvae.evaluation.factor_reader.network import FactorReader, area_weights, features, pixels_of, read, trained
from fvae.evaluation.factor_reader.training import SEED
from fvae.files import sha256
from fvae.params import Portraits

CARD = json.loads(network.WEIGHTS.with_name("card.json").read_text())
ROWS = np.arange(10**6, 10**6 + 600)  # portraits that neither training nor the card has


@pytest.fixture(scope="module")
def portraits():
    return draw(ROWS, 32, SEED)


def test_the_weights_are_small_and_those_of_the_card():
    assert network.WEIGHTS.stat().st_size < 2**20
    assert sha256(network.WEIGHTS) == network.SHA256 == CARD["weights_sha256"]
    assert CARD["parameters"] == sum(parameter.numel() for parameter in FactorReader().parameters()) < 200_000
    assert CARD["weights_sha256"] in network.WEIGHTS.with_name("card.md").read_text()


def test_no_experiment_can_have_the_portraits_of_the_training():
    with pytest.raises(ValueError, match="less than"):
        Portraits(kind="portraits", size=32, bits=8, train=1, validation=1, test=1, seed=SEED)


@pytest.mark.parametrize("bits", [8, 5])
def test_new_portraits_are_read_as_well_as_the_card_says(portraits, bits):
    reader = trained()
    found, _ = read(reader, features(reader, coarse(portraits, bits)))
    rightly = (found == true_kinds(ROWS, SEED)).mean(0)
    said = CARD["held_out"][f"32×32, {bits} bits"]["kinds"]
    for share, name in zip(rightly, KINDS, strict=True):
        error = np.sqrt(said[name]["read_rightly"] * (1 - said[name]["read_rightly"]) / len(ROWS))
        assert abs(share - said[name]["read_rightly"]) < 4 * error + 0.005, name
    assert rightly[list(KINDS).index("glasses")] > 0.9


def test_features_of_portraits_are_standardised(portraits):
    found = features(trained(), portraits)
    assert found.shape == (600, 64)
    assert abs(found.var(0).mean() - 1) < 0.15
    assert abs(found.mean(0)).max() < 0.3


@pytest.mark.parametrize("size", [64, 96, 128])
def test_larger_images_are_averaged_over_whole_pixels(size):
    images = np.random.default_rng(0).integers(0, 256, (2, 3, size, size), dtype=np.uint8)
    factor = size // 32
    expected = images.reshape(2, 3, 32, factor, 32, factor).mean((3, 5)) / 127.5 - 1
    np.testing.assert_allclose(pixels_of(images).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("size", [16, 31, 32, 48, 100])
def test_the_shares_of_pixels_are_those_of_a_fine_grid(size):
    """Each of 32 pixels is the mean over what it covers, and no pixel of the image weighs more than another."""
    weights = area_weights(size, 32).numpy()
    ramp = np.repeat(np.arange(size), 32) ** 2  # each pixel of the image as 32 thin ones
    np.testing.assert_allclose(weights @ np.arange(size) ** 2, ramp.reshape(32, size).mean(1), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(weights.sum(0), 32 / size, rtol=1e-5)


def test_a_portrait_at_64_is_read_as_the_same_at_32():
    reader = trained()
    small, large = (read(reader, features(reader, draw(ROWS[:200], size, SEED)))[0] for size in (32, 64))
    assert (small == large).mean() > 0.93


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 1, 32, 32), np.uint8),
        np.zeros((2, 3, 32, 16), np.uint8),
        np.zeros((2, 3, 32, 32), np.float32),
        np.zeros((3, 32, 32), np.uint8),
    ],
)
def test_images_of_another_form_are_refused(images):
    with pytest.raises(UserError, match=r"uint8 \(N, 3, H, H\) are needed"):
        pixels_of(images)


def test_bad_weights_are_one_line(tmp_path, monkeypatch):
    file = tmp_path / "weights.safetensors"
    monkeypatch.setattr(network, "WEIGHTS", file)
    with pytest.raises(UserError, match="cannot be read"):
        trained()
    file.write_bytes(b"damaged")
    with pytest.raises(UserError, match="not the weights of this version"):
        trained()
    file.write_bytes(save({"body.0.weight": torch.zeros(1)}))
    monkeypatch.setattr(network, "SHA256", sha256(file))
    with pytest.raises(UserError, match="not of this network"):
        trained()
