"""The weights of FID's network: fetched whole and verified, or not there, with one line that says what to do."""

import hashlib
import http.client
import socket
from urllib.error import URLError

import pytest
import pytorch_fid.inception
import torch

from fvae.errors import UserError
from fvae.evaluation import inception

REMEDIES = (
    r"put weights\.pth into .*/inception, or name it under inception\.path in params\.yaml, or go online; "
    r"then run snakemake --cores 1 -R inception_weights all"
)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A file in place of the real one, behind the same address."""
    path = tmp_path / "source.pth"
    path.write_bytes(b"weights")
    monkeypatch.setattr(inception, "URL", path.as_uri())
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(b"weights").hexdigest())
    return path


@pytest.fixture
def target(tmp_path):
    return tmp_path / "inception" / "weights.pth"


def test_the_checksum_is_the_one_in_the_files_name():
    assert inception.NAME.endswith(f"-{inception.SHA256[:8]}.pth")
    assert inception.URL == pytorch_fid.inception.FID_WEIGHTS_URL
    assert len(inception.SHA256) == 64


def test_fetched_weights_are_whole_and_verified(source, target):
    inception.fetch(target)
    assert target.read_bytes() == b"weights"
    assert list(target.parent.iterdir()) == [target]
    inception.verify(target)


def test_a_damaged_download_leaves_nothing(source, target):
    source.write_bytes(b"weigh")
    with pytest.raises(UserError, match=rf"invalid hash value.*{REMEDIES}"):
        inception.fetch(target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    "error", [URLError("no route"), TimeoutError("no route"), http.client.BadStatusLine("no route")]
)
def test_without_a_network_one_line_says_what_to_do(source, target, monkeypatch, error):
    timeouts = []

    def refuse(*args):
        timeouts.append(socket.getdefaulttimeout())
        raise error

    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    with pytest.raises(UserError, match=rf"no route.*{REMEDIES}") as raised:
        inception.fetch(target)
    assert "\n" not in str(raised.value)
    assert list(target.parent.iterdir()) == []
    assert timeouts == [inception.TIMEOUT]
    assert socket.getdefaulttimeout() is None


def test_a_server_that_never_answers_is_given_up(source, target, monkeypatch):
    monkeypatch.setattr(inception, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/weights.pth"
        monkeypatch.setattr(inception, "URL", url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with pytest.raises(UserError, match=rf"timed out.*{REMEDIES}"):
            inception.fetch(target)
    assert list(target.parent.iterdir()) == []


def test_other_weights_are_refused(source):
    source.write_bytes(b"others")
    with pytest.raises(UserError, match=rf"source\.pth: not the weights.*put pytorch-fid's {inception.NAME}"):
        inception.verify(source)


def test_missing_weights_are_one_line(target):
    with pytest.raises(UserError, match=r"No such file.*inception\.path"):
        inception.verify(target)
