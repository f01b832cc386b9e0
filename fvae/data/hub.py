"""Data sets that are fetched: those of the Hugging Face hub, or of the mirror that HF_ENDPOINT names; and LFW."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from fvae.errors import UserError
from fvae.files import write

PLACE = Path("data/raw/huggingface")
ADDRESS = re.compile(r"^hf://(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>\w[\w./-]*)$")
COMPLETE = ".complete"  # stands in a folder of which all was fetched and compared
LFW = "lfw-deepfunneled.tgz"
SECONDS = 30.0  # that a server may be silent


def fetched(path: str) -> bool:
    """Whether a path is one that `local` fetches where it is not there."""
    return path.startswith("hf://") or Path(path).name == LFW


def local(path: str) -> Path:
    """The path itself, LFW's archive downloaded where it is not there; of hf://OWNER/NAME@REVISION a folder of shards.

    Raises UserError where an address is none, a server cannot be reached, or a checksum differs.
    """
    if path.startswith("hf://"):
        return _shards(path)
    if fetched(path) and not Path(path).exists():
        _download_lfw(Path(path))
    return Path(path)


def _shards(path: str) -> Path:
    """The folder to which the parquet shards of a data set were downloaded.

    What is already there is not fetched again, and a download that broke off goes on; then all is compared with the
    hub's checksums. Where the hub cannot be reached, what was once complete is enough.
    """
    match = ADDRESS.match(path)
    if not match:
        raise UserError(f"data.path: {path} is not hf://OWNER/NAME@REVISION, REVISION a commit, a tag or a branch")
    from huggingface_hub import HfApi, snapshot_download

    repository, revision = match["repository"], match["revision"]
    folder = PLACE / repository.replace("/", "--") / revision.replace("/", "--")
    complete = folder / COMPLETE
    try:
        HfApi().dataset_info(repository, revision=revision)
        complete.unlink(missing_ok=True)
        snapshot_download(
            repository, repo_type="dataset", revision=revision, allow_patterns=["*.parquet"], local_dir=folder
        )
        compared = HfApi().verify_repo_checksums(repository, repo_type="dataset", revision=revision, local_dir=folder)
    except Exception as error:  # the client lets through those of its HTTP library, another one in each version
        reason = " ".join(str(error).split())[:300]
        if not complete.exists():
            raise UserError(f"data.path: {path} cannot be fetched: {reason}") from error
        print(f"fvae: {path} cannot be reached ({reason}); going on with what was fetched to {folder}", file=sys.stderr)
        return folder
    if compared.mismatches:
        damaged = folder / compared.mismatches[0]["path"]
        raise UserError(
            f"data.path: {damaged} does not have the checksum of {path}; remove it, and it is fetched again"
        )
    complete.touch()
    return folder


def _download_lfw(path: Path) -> None:
    """Labelled Faces in the Wild from where torchvision knows it. Raises UserError where it is not to be had."""
    from torchvision.datasets import LFWPeople
    from torchvision.datasets.utils import download_url

    _, name, md5 = LFWPeople.file_dict["deepfunneled"]
    url = LFWPeople.download_url_prefix + name
    try:
        with _impatient():
            write(path, lambda partial: download_url(url, partial.parent, partial.name, md5))
    except (OSError, RuntimeError, HTTPException) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not there, and {url} cannot be fetched ({reason}); put the file there") from error


@contextmanager
def _impatient() -> Iterator[None]:
    """Connections that do not wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def missing_source(path: str) -> str:
    """What to do about a source that is not there; a .dvc file beside it tells that DVC has it."""
    if Path(f"{path}.dvc").exists():
        return f"{path} does not exist here, but DVC has it: dvc pull {path}.dvc"
    return f"{path} does not exist; put the archive or the folder of images there, or name another path"
