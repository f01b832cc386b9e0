"""Data sets that are fetched, of the Hugging Face hub and LFW: here from a server of our own."""

import hashlib
import io
import os
from pathlib import Path

import forked
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hub_server import COMMIT, Hub, serving
from PIL import Image
from torchvision.datasets import LFWPeople

from fvae.data import dataset, hub
from fvae.data.fingerprint import source_digest
from fvae.data.sources import Source
from fvae.errors import UserError
from fvae.params.source import read_all

pytestmark = pytest.mark.xdist_group("processes")

ROOT = Path(__file__).parents[2]


def shard(n, seed):
    rng, images = np.random.default_rng(seed), []
    for _ in range(n):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(buffer, "PNG")
        images.append({"bytes": buffer.getvalue(), "path": None})
    buffer = io.BytesIO()
    pq.write_table(pa.table({"image": images}), buffer)
    return buffer.getvalue()


FILES = {
    "data/train-00000-of-00002.parquet": shard(20, 0),
    "data/train-00001-of-00002.parquet": shard(20, 1),
    "data/validation-00000-of-00001.parquet": shard(6, 2),
    "README.md": b"# Faces\n",
}


ARCHIVE = np.random.default_rng(3).bytes(100_000)  # in place of LFW's
ASKED: list[str] = []


class HubAndLFW(Hub):
    """The hub's data set some/faces; and LFW."""

    api, files, content, asked = "/api/datasets/some/faces", "/datasets/some/faces", FILES, ASKED

    def other(self, path):
        if path == "/lfw/lfw-deepfunneled.tgz":
            self.answer(ARCHIVE)
        else:
            super().other(path)


@pytest.fixture
def endpoint():
    ASKED.clear()
    with serving(HubAndLFW) as address:
        yield address


@pytest.fixture
def prepared(processes, tmp_path):
    """A function that runs `python -m fvae prepare` in a process of its own: its exit code and what it said.

    For the client reads HF_ENDPOINT when it is imported.
    """

    def prepare(endpoint, path):
        write_parameters(tmp_path, path)
        arguments = (tmp_path, "prepare", "--experiment", "celeba64")
        environment = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home")}
        (code,), said = forked.run(processes, tmp_path / "said", [(forked.program, arguments, environment)])
        return code, said

    return prepare


def write_parameters(folder, path):
    """params.yaml with the set of images at an address."""
    params = read_all(ROOT / "params.yaml").plain()
    data = params["experiments"]["celeba64"]["data"] | {"path": path}
    data["split"] = {"kind": "published", "validation": 0.3}
    params["experiments"]["celeba64"]["data"] = data
    (folder / "params.yaml").write_text(yaml.safe_dump(params))


def test_a_data_set_is_fetched_once(tmp_path, endpoint, prepared):
    code, said = prepared(endpoint, "hf://some/faces@main")
    assert code == 0, said
    images = dataset.load(tmp_path / "data/celeba64")
    assert len(images.images) == 46
    assert len(images.split("test")) == 6
    fetched = [path for path in ASKED if "/resolve/" in path and path.endswith(".parquet")]
    assert len(set(fetched)) == 3
    assert not any("README" in path for path in ASKED)
    ASKED.clear()
    code, said = prepared(endpoint, f"hf://some/faces@{COMMIT}")
    assert code == 0, said


def test_a_file_damaged_by_its_disk_is_told(tmp_path, endpoint, prepared):
    assert prepared(endpoint, "hf://some/faces@main")[0] == 0
    shard = next((tmp_path / "data/fetched/huggingface/some--faces/main/data").glob("train-00001*"))
    whole = shard.stat()
    data = bytearray(shard.read_bytes())
    data[1000] ^= 1
    shard.write_bytes(data)
    os.utime(shard, ns=(whole.st_atime_ns, whole.st_mtime_ns))  # a later time, and it would be fetched again
    code, said = prepared(endpoint, "hf://some/faces@main")
    assert code == 1
    assert f"{shard.name} does not have the checksum of hf://some/faces@main" in said


def test_what_was_fetched_is_enough_when_the_hub_cannot_be_reached(tmp_path, endpoint, prepared):
    path = "hf://some/faces@refs/convert/parquet"
    assert prepared(endpoint, path)[0] == 0
    assert any("/revision/refs%2Fconvert%2Fparquet" in asked for asked in ASKED)
    folder = tmp_path / "data/fetched/huggingface/some--faces/refs--convert--parquet"
    code, said = prepared("http://127.0.0.1:9", path)
    assert code == 0, said
    (line,) = [line for line in said.splitlines() if "cannot be reached" in line]
    assert line.startswith(f"fvae: {path} cannot be reached")
    assert line.endswith(
        "going on with what was fetched to data/fetched/huggingface/some--faces/refs--convert--parquet"
    )
    (folder / hub.COMPLETE).unlink()  # a download that broke off
    code, said = prepared("http://127.0.0.1:9", path)
    assert code == 1
    assert said.splitlines()[-1].startswith(f"fvae: data.path: {path} cannot be fetched")


def test_a_server_that_is_not_there_is_one_clear_line(prepared):
    code, said = prepared("http://127.0.0.1:9", "hf://some/faces@main")
    assert code == 1
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("fvae: data.path: hf://some/faces@main cannot be fetched")


def test_an_address_needs_a_revision():
    with pytest.raises(UserError, match="hf://some/faces is not hf://OWNER/NAME@REVISION"):
        hub.local("hf://some/faces")
    with pytest.raises(UserError, match="is not hf://OWNER/NAME@REVISION"):
        hub.local("hf://some/faces@../../elsewhere")
    assert hub.local("a/b.zip") == Path("a/b.zip")


@pytest.fixture
def lfw(endpoint, monkeypatch):
    """torchvision's address of LFW is our server's, and its sum that of our archive."""
    known = ("lfw-deepfunneled", "lfw-deepfunneled.tgz", hashlib.md5(ARCHIVE).hexdigest())
    monkeypatch.setattr(LFWPeople, "download_url_prefix", f"{endpoint}/lfw/")
    monkeypatch.setitem(LFWPeople.file_dict, "deepfunneled", known)


FETCHED_LFW = Path("data/fetched/lfw-deepfunneled.tgz")
RAW_LFW = "data/raw/lfw-deepfunneled.tgz"


def test_lfw_is_downloaded_where_it_is_not_there(tmp_path, lfw, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert hub.fetched(RAW_LFW)
        assert hub.local(RAW_LFW) == FETCHED_LFW
        assert FETCHED_LFW.read_bytes() == ARCHIVE
    assert [file.name for file in FETCHED_LFW.parent.iterdir()] == [FETCHED_LFW.name]
    assert not Path("data/raw").exists()  # which holds what the user put there, and nothing else
    assert len([asked for asked in ASKED if asked == "/lfw/lfw-deepfunneled.tgz"]) == 2  # a HEAD and a GET


def test_a_user_s_own_archive_of_lfw_is_used(tmp_path, lfw, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = Path(RAW_LFW)
    own.parent.mkdir(parents=True)
    FETCHED_LFW.parent.mkdir(parents=True)
    FETCHED_LFW.write_bytes(ARCHIVE)
    own.write_bytes(b"own")
    assert not hub.fetched(RAW_LFW)
    assert hub.local(RAW_LFW) == own
    own.unlink()
    assert hub.fetched(RAW_LFW)
    own.with_name(f"{own.name}.dvc").touch()  # the user's own, which `dvc pull` brings
    assert not hub.fetched(RAW_LFW)
    assert ASKED == []


@pytest.mark.parametrize("trouble", ["nobody answers", "not found", "another sum"])
def test_lfw_that_cannot_be_downloaded_is_one_clear_line(tmp_path, lfw, monkeypatch, trouble):
    monkeypatch.chdir(tmp_path)
    if trouble == "nobody answers":
        monkeypatch.setattr(LFWPeople, "download_url_prefix", "http://127.0.0.1:9/")
    elif trouble == "not found":
        monkeypatch.setattr(LFWPeople, "download_url_prefix", LFWPeople.download_url_prefix + "elsewhere/")
    else:
        monkeypatch.setitem(LFWPeople.file_dict, "deepfunneled", ("", "lfw-deepfunneled.tgz", "0" * 32))
    with pytest.raises(
        UserError, match=r"data/raw/lfw-deepfunneled\.tgz: not there, and http.*; put the file there"
    ) as error:
        hub.local(RAW_LFW)
    assert "\n" not in str(error.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_other_archives_are_not_downloaded(tmp_path):
    assert not hub.fetched("data/raw/faces.zip")
    assert hub.local(str(tmp_path / "lfw.tgz")) == tmp_path / "lfw.tgz"


@pytest.mark.parametrize("recorded", ["faces.zip", None, "raw", "data"])
def test_a_missing_source_says_what_to_do(tmp_path, monkeypatch, recorded):
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    path = "data/raw/faces.zip"
    if recorded:
        place = {"faces.zip": "data/raw/faces.zip.dvc", "raw": "data/raw.dvc", "data": "data.dvc"}[recorded]
        Path(place).touch()
        line = f"{path} does not exist; DVC has a record of it: dvc pull {place}"
    else:
        line = f"{path} does not exist; put the archive or the folder of images there, or name another path"
    assert hub.missing_source(path) == line
    for use in (lambda: Source(Path(path)), lambda: source_digest(path, {})):
        with pytest.raises(UserError) as error:
            use()
        assert str(error.value) == line
