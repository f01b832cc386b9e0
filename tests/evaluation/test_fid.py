"""FID from arrays against pytorch-fid's own path over PNG files, with weights made here, and against a closed form."""

import sys
from unittest.mock import patch

import numpy as np
import pytest
import pytorch_fid.fid_score
import pytorch_fid.inception
import torch
from PIL import Image
from pytorch_fid.fid_score import calculate_frechet_distance, compute_statistics_of_path
from pytorch_fid.inception import InceptionV3
from torch import nn

from fvae.errors import UserError
from fvae.evaluation.fid import features, fid, fid_infinity, inception
from fvae.evaluation.frechet import square_root, statistics
from fvae.evaluation.inception import NAME

RNG = np.random.default_rng(0)


def part_of(found, features):
    """The statistics of the first features: the square root of a 2048² matrix takes half a minute."""
    mean, covariance = found
    return mean[:features], covariance[:features, :features]


def distance(real, fake):
    return fid(real, square_root(real[1]), fake)


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


@pytest.fixture(scope="module")
def pytorch_fids(weights):
    """pytorch-fid's own network with the same weights."""
    state = torch.load(weights, weights_only=True)
    with patch.object(pytorch_fid.inception, "load_state_dict_from_url", lambda *args, **kwargs: state):
        return InceptionV3([InceptionV3.BLOCK_INDEX_BY_DIM[2048]]).eval()


def test_the_network_has_the_weights_of_the_file(weights, network):
    state = torch.load(weights, weights_only=True)
    own = network.state_dict()
    assert set(state) - set(own) == {"fc.weight", "fc.bias"}
    assert all(torch.equal(own[name], state[name]) for name in own)
    assert not network.training


def test_the_features_are_those_of_pytorch_fid_to_the_bit(network, pytorch_fids):
    images = np.random.default_rng(1).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
    with torch.no_grad():
        expected = pytorch_fids(torch.from_numpy(images).float() / 255)[0].flatten(1).numpy()
    np.testing.assert_array_equal(features(images, network, "cpu"), expected)
    assert expected.std() > 1e-3


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")  # fewer images than features: singular
def test_the_same_number_as_pytorch_fid_over_png_files(network, pytorch_fids, tmp_path):
    """The number is compared over a part of the features."""
    images = RNG.integers(0, 256, (2, 8, 3, 32, 32), dtype=np.uint8)
    images[1] //= 2
    ours, theirs = [], []
    for name, part in zip("ab", images, strict=True):
        (tmp_path / name).mkdir()
        for index, image in enumerate(part):
            Image.fromarray(image.transpose(1, 2, 0)).save(tmp_path / name / f"{index:02}.png")
        theirs.append(compute_statistics_of_path(str(tmp_path / name), pytorch_fids, 8, 2048, "cpu", num_workers=0))
        ours.append(statistics(features(part, network, "cpu", batch=3)))
    for (mean, covariance), (their_mean, their_covariance) in zip(ours, theirs, strict=True):
        assert their_covariance.max() > 1e-3  # the features tell the images apart
        np.testing.assert_allclose(mean, their_mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(covariance, their_covariance, rtol=1e-3, atol=1e-5 * their_covariance.max())

    expected = calculate_frechet_distance(*part_of(theirs[0], 100), *part_of(theirs[1], 100))
    real, fake = (part_of(each, 100) for each in ours)
    assert distance(real, fake) == pytest.approx(expected, rel=1e-3)
    assert distance(real, fake) > 100 * abs(distance(real, real))


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
def test_the_same_number_as_the_command(weights, network, tmp_path, monkeypatch, capsys):
    """`python -m pytorch_fid FOLDER FOLDER` as the literature runs it, on PNG files, these weights in its cache.

    Its distance and ours are over a quarter of the features.
    """
    cache = tmp_path / "torch/hub/checkpoints"
    cache.mkdir(parents=True)
    (cache / NAME).symlink_to(weights)
    sets = RNG.integers(0, 256, (2, 6, 3, 32, 32), dtype=np.uint8)
    sets[1] //= 2
    for name, part in zip("ab", sets, strict=True):
        (tmp_path / name).mkdir()
        for index, image in enumerate(part):
            Image.fromarray(image.transpose(1, 2, 0)).save(tmp_path / name / f"{index}.png")

    def of_a_part(mean, covariance, other_mean, other_covariance):
        real, fake = (part_of(each, 512) for each in ((mean, covariance), (other_mean, other_covariance)))
        return calculate_frechet_distance(*real, *fake)

    monkeypatch.setattr(pytorch_fid.fid_score, "calculate_frechet_distance", of_a_part)
    monkeypatch.setattr(
        sys, "argv", ["pytorch_fid", str(tmp_path / "a"), str(tmp_path / "b"), "--num-workers", "0", "--device", "cpu"]
    )
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    pytorch_fid.fid_score.main()
    said = capsys.readouterr().out
    real, fake = (part_of(statistics(features(part, network, "cpu")), 512) for part in sets)
    assert distance(real, fake) == pytest.approx(float(said.split()[-1]), rel=1e-3)


def test_of_independent_features_the_distance_is_known():
    """Σ (μ₁ - μ₂)² + (σ₁ - σ₂)², and zero for a set and itself."""
    means, deviations = RNG.normal(size=(2, 6)), RNG.uniform(0.5, 2.0, size=(2, 6))
    real, fake = ((mean, np.diag(deviation**2)) for mean, deviation in zip(means, deviations, strict=True))
    expected = np.sum((means[0] - means[1]) ** 2 + (deviations[0] - deviations[1]) ** 2)
    assert distance(real, fake) == pytest.approx(expected)
    assert distance(real, real) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 1, 32, 32), np.uint8), "uint8 images"),
        (np.zeros((4, 3, 32, 32), np.float32), "uint8 images"),
    ],
)
def test_unfit_images_are_refused(network, images, message):
    with pytest.raises(UserError, match=message):
        features(images, network, "cpu")


def test_the_extrapolated_distance_is_nearer_to_the_true_one():
    """Gaussian features: FID of few samples is too high, and a line in 1/N takes most of that away."""
    dims = 40
    deviation, shift = RNG.uniform(0.5, 2.0, dims), 0.1
    real = (np.zeros(dims), np.diag(deviation**2))
    truth = dims * shift**2
    biased, extrapolated = [], []
    for seed in range(6):
        samples = shift + deviation * np.random.default_rng(seed).normal(size=(600, dims))
        biased.append(distance(real, statistics(samples)))
        extrapolated.append(fid_infinity(real, square_root(real[1]), samples, biased[-1], seed))
    assert np.mean(biased) > truth + 0.5
    assert abs(np.mean(extrapolated) - truth) < 0.2 * abs(np.mean(biased) - truth)


def test_the_line_s_points_are_pytorch_fid_s_distances(monkeypatch):
    """Of all N the distance that is given, and of a subset that of its statistics."""
    samples, other = (RNG.normal(size=(500, 30)) @ RNG.normal(size=(30, 30)) for _ in range(2))
    points, subsets = [], []

    def fit(x, y, degree):
        points.extend(zip(x, y, strict=True))
        return lambda at: 0.0

    monkeypatch.setattr("fvae.evaluation.fid.np.polynomial.Polynomial.fit", fit)
    monkeypatch.setattr("fvae.evaluation.fid.statistics", lambda found: subsets.append(found) or statistics(found))
    real = statistics(other)
    fid_infinity(real, square_root(real[1]), samples, 123.0, 0)
    assert points[0] == (1 / 500, 123.0)
    assert [len(subset) for subset in subsets] == [400, 333, 286, 250]
    for (_, y), subset in zip(points[1:], subsets, strict=True):
        assert y == pytest.approx(distance(real, statistics(subset)), rel=1e-6)


@pytest.mark.parametrize(("images", "given"), [(15, False), (40, False), (79, False), (80, True)])
def test_of_few_images_a_feature_nothing_is_extrapolated(images, given):
    """20 features: the smallest subset, half of the images, needs 40."""
    samples = RNG.normal(size=(images, 20))
    assert (fid_infinity((np.zeros(20), np.eye(20)), np.eye(20), samples, 1.0, 0) is not None) == given


def test_a_root_that_has_not_converged_is_an_error(monkeypatch):
    real, fake = (statistics(RNG.normal(size=(200, 10)) * scale) for scale in (1, 2))
    sound = distance(real, fake)
    monkeypatch.setattr("fvae.evaluation.fid.calculate_frechet_distance", lambda *args: sound * 1.0005)
    assert distance(real, fake) == sound * 1.0005
    monkeypatch.setattr("fvae.evaluation.fid.calculate_frechet_distance", lambda *args: sound * 1.01)
    with pytest.raises(UserError, match=r"square root has not converged.*take more images") as error:
        distance(real, fake)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_numbers_are_an_error(value):
    with pytest.raises(UserError, match="not finite"):
        fid((np.full(3, value), np.eye(3)), np.eye(3), (np.zeros(3), np.eye(3)))
    with pytest.raises(UserError, match="not finite"):
        fid((np.zeros(3), np.eye(3)), np.eye(3), (np.zeros(3), np.full((3, 3), value)))


def test_an_imaginary_root_is_an_error():
    with pytest.raises(UserError, match=r"no real square root.*take more images"):
        fid((np.zeros(3), -np.eye(3)), np.eye(3), (np.zeros(3), np.eye(3)))


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
