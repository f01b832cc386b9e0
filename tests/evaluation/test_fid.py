"""FID from arrays against pytorch-fid's own path over PNG files, with weights made here; and the weights themselves."""

import hashlib
from unittest.mock import patch
from urllib.error import URLError

import numpy as np
import pytest
import pytorch_fid.inception
import torch
from PIL import Image
from pytorch_fid.fid_score import calculate_frechet_distance, compute_statistics_of_path

from fvae.errors import UserError
from fvae.evaluation import inception as weights_of
from fvae.evaluation.fid import fid, inception, statistics


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    torch.manual_seed(0)
    made = {}

    def keep(module, state):
        made.update({name: torch.randn_like(value.float()) * 0.05 for name, value in module.state_dict().items()})
        made.update({name: value.abs() + 1 for name, value in made.items() if name.endswith("running_var")})

    with (
        patch.object(pytorch_fid.inception, "load_state_dict_from_url", lambda *args, **kwargs: {}),
        patch.object(torch.nn.Module, "load_state_dict", keep),
    ):
        pytorch_fid.inception.fid_inception_v3()
    made = {name: value.long() if name.endswith("num_batches_tracked") else value for name, value in made.items()}
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(made, path)
    return inception(path, "cpu")


@pytest.mark.filterwarnings("ignore")  # few images: a singular covariance
def test_the_same_number_as_pytorch_fid_over_png_files(network, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 20, 3, 32, 32), dtype=np.uint8)
    images[1] //= 2
    for name, part in zip("ab", images, strict=True):
        (tmp_path / name).mkdir()
        for index, image in enumerate(part):
            Image.fromarray(image.transpose(1, 2, 0)).save(tmp_path / name / f"{index:02}.png")
    theirs = calculate_frechet_distance(
        *compute_statistics_of_path(str(tmp_path / "a"), network, 10, 2048, "cpu", num_workers=0),
        *compute_statistics_of_path(str(tmp_path / "b"), network, 10, 2048, "cpu", num_workers=0),
    )
    real, fake = (statistics(part, network, "cpu") for part in images)
    assert fid(real, fake) == pytest.approx(theirs, rel=1e-3)
    assert fid(real, fake) > 100 * abs(fid(real, real))


def test_one_image_is_too_few(network):
    with pytest.raises(UserError, match="two images"):
        statistics(np.zeros((1, 3, 32, 32), np.uint8), network, "cpu")


def test_weights_are_fetched_and_verified(tmp_path, monkeypatch):
    source = tmp_path / "source.pth"
    source.write_bytes(b"weights")
    monkeypatch.setattr(pytorch_fid.inception, "FID_WEIGHTS_URL", source.as_uri())
    target = tmp_path / "inception" / "weights.pth"
    weights_of.fetch(target)
    assert target.read_bytes() == b"weights"
    with pytest.raises(UserError, match="not the weights"):
        weights_of.verify(target)
    monkeypatch.setattr(weights_of, "SHA256", hashlib.sha256(b"weights").hexdigest())
    weights_of.verify(target)


def test_without_a_network_one_line_says_what_to_do(tmp_path, monkeypatch):
    def refuse(*args):
        raise URLError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(UserError, match=r"no route.*inception\.path") as error:
        weights_of.fetch(tmp_path / "weights.pth")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_missing_weights_are_one_line(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        weights_of.verify(tmp_path / "weights.pth")
