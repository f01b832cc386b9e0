"""Models on the Hugging Face Hub: here from a server of our own."""

import forked
import loading
import numpy as np
import pytest
from hub_server import COMMIT, Hub, serving

import fvae
from fvae import layout
from fvae.errors import UserError
from fvae.library.folder import save

pytestmark = pytest.mark.xdist_group("processes")


class Models(Hub):
    api, files = "/api/models/some/faces", "/some/faces"


@pytest.fixture
def trained(project):
    return fvae.load(project / layout.Run("demo", "fvae", 0).folder, "cpu")


@pytest.fixture
def endpoint(trained, tmp_path):
    """The server's address, and the paths that it is asked for."""
    save(trained, tmp_path / "saved")
    content = {file.name: file.read_bytes() for file in (tmp_path / "saved").iterdir()}
    asked = []
    with serving(Models, content=content | {"decoder.onnx": b"large"}, asked=asked) as address:
        yield address, asked


@pytest.fixture
def sampled(processes, tmp_path):
    """A function that loads a model in a process of its own: its samples or None, and what it said."""

    def sample(address, place):
        file = tmp_path / "samples.npy"
        file.unlink(missing_ok=True)
        environment = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")}
        forked.run(processes, tmp_path / "said", [(loading.sample, (place, file), environment)])
        return np.load(file) if file.exists() else None, (tmp_path / "said").read_text()

    return sample


def test_a_model_is_downloaded_once_and_samples_the_same(endpoint, sampled, trained):
    address, asked = endpoint
    for place in ("hf://some/faces", "hf://some/faces@main", f"hf://some/faces@{COMMIT}"):
        found, said = sampled(address, place)
        assert found is not None, said
        assert np.array_equal(found, trained.sample(2))
    assert not any("decoder.onnx" in path for path in asked if "/resolve/" in path)
    asked.clear()
    found, said = sampled("http://127.0.0.1:9", "hf://some/faces")  # where nobody answers
    assert np.array_equal(found, trained.sample(2)), said


def test_what_cannot_be_fetched_is_one_clear_line(endpoint, sampled):
    address, _ = endpoint
    for place, server in (("hf://some/others", address), ("hf://some/faces", "http://127.0.0.1:9")):
        found, said = sampled(server, place)
        assert found is None
        assert f"UserError: {place} cannot be fetched: " in said.splitlines()[-1]


def test_a_repository_of_something_else_is_told(sampled):
    with serving(Models, content={"README.md": b"# Faces\n"}, asked=[]) as address:
        _, said = sampled(address, "hf://some/faces")
    assert said.splitlines()[-1].endswith("UserError: hf://some/faces is no model of fvae: it has no config.json")


@pytest.mark.parametrize("address", ["hf://faces", "hf://some/faces@", "hf://some/faces@../x", "hf://a/b/c"])
def test_an_address_has_an_owner_and_a_name(address):
    with pytest.raises(UserError, match="is not hf://OWNER/NAME or hf://OWNER/NAME@REVISION"):
        fvae.load(address)
