"""FID from arrays against pytorch-fid's own path over PNG files, with weights made here, and against a closed form."""

from unittest.mock import patch

import numpy as np
import pytest
import pytorch_fid.inception
import torch
from PIL import Image
from pytorch_fid.fid_score import calculate_frechet_distance, compute_statistics_of_path
from torch import nn

from fvae.errors import UserError
from fvae.evaluation.fid import fid, inception, statistics

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights that keep the scale of the activations, in the old file format that the real ones may have."""
    torch.manual_seed(0)
    with (
        patch.object(pytorch_fid.inception, "load_state_dict_from_url"),
        patch.object(nn.Module, "load_state_dict"),
    ):
        network = pytorch_fid.inception.fid_inception_v3()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture(scope="module")
def network(weights):
    with patch("socket.socket.connect", side_effect=AssertionError("the network was touched")):
        return inception(weights, "cpu")


def test_the_network_has_the_weights_of_the_file(weights, network):
    state = torch.load(weights, weights_only=True)
    assert torch.equal(network.blocks[0][0].conv.weight, state["Conv2d_1a_3x3.conv.weight"])
    assert torch.equal(network.blocks[3][2].branch_pool.conv.weight, state["Mixed_7c.branch_pool.conv.weight"])
    assert not network.training


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")  # fewer images than features: singular
def test_the_same_number_as_pytorch_fid_over_png_files(network, tmp_path):
    """The number is compared over a part of the features: the square root of a 2048² matrix takes long."""
    images = RNG.integers(0, 256, (2, 8, 3, 32, 32), dtype=np.uint8)
    images[1] //= 2
    ours, theirs = [], []
    for name, part in zip("ab", images, strict=True):
        (tmp_path / name).mkdir()
        for index, image in enumerate(part):
            Image.fromarray(image.transpose(1, 2, 0)).save(tmp_path / name / f"{index:02}.png")
        theirs.append(compute_statistics_of_path(str(tmp_path / name), network, 8, 2048, "cpu", num_workers=0))
        ours.append(statistics(part, network, "cpu", batch=3))
    for (mean, covariance), (their_mean, their_covariance) in zip(ours, theirs, strict=True):
        assert their_covariance.max() > 1e-3  # the features tell the images apart
        np.testing.assert_allclose(mean, their_mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(covariance, their_covariance, rtol=1e-3, atol=1e-5 * their_covariance.max())

    def part_of(mean, covariance, features=100):
        return mean[:features], covariance[:features, :features]

    expected = calculate_frechet_distance(*part_of(*theirs[0]), *part_of(*theirs[1]))
    real, fake = (part_of(*each) for each in ours)
    assert fid(real, fake) == pytest.approx(expected, rel=1e-3)
    assert fid(real, fake) > 100 * abs(fid(real, real))


def test_of_independent_features_the_distance_is_known():
    """Σ (μ₁ - μ₂)² + (σ₁ - σ₂)², and zero for a set and itself."""
    means, deviations = RNG.normal(size=(2, 6)), RNG.uniform(0.5, 2.0, size=(2, 6))
    real, fake = ((mean, np.diag(deviation**2)) for mean, deviation in zip(means, deviations, strict=True))
    expected = np.sum((means[0] - means[1]) ** 2 + (deviations[0] - deviations[1]) ** 2)
    assert fid(real, fake) == pytest.approx(expected)
    assert fid(real, real) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 3, 32, 32), np.uint8), "two images"),
        (np.zeros((4, 1, 32, 32), np.uint8), "uint8 images"),
        (np.zeros((4, 3, 32, 32), np.float32), "uint8 images"),
    ],
)
def test_unfit_images_are_refused(network, images, message):
    with pytest.raises(UserError, match=message):
        statistics(images, network, "cpu")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_numbers_are_an_error(value):
    with pytest.raises(UserError, match="not finite"):
        fid((np.full(3, value), np.eye(3)), (np.zeros(3), np.eye(3)))
    with pytest.raises(UserError, match="not finite"):
        fid((np.zeros(3), np.full((3, 3), value)), (np.zeros(3), np.eye(3)))


def test_an_imaginary_root_is_an_error():
    with pytest.raises(UserError, match=r"no real square root.*take more images"):
        fid((np.zeros(3), -np.eye(3)), (np.zeros(3), np.eye(3)))


def test_files_that_are_not_weights_are_one_line(tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(UserError, match="No such file"):
        inception(path, "cpu")
    for content in (b"", b"not a checkpoint"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="cannot be read as the weights"):
            inception(path, "cpu")
    for state in ({"weight": torch.zeros(3)}, [1, 2]):
        torch.save(state, path)
        with pytest.raises(UserError, match="cannot be read as the weights") as error:
            inception(path, "cpu")
        assert "\n" not in str(error.value)
