"""Where raw images come from: a path of the user's, or a data set that is downloaded.

Two kinds are downloaded, to data/fetched: those of the Hugging Face hub, or of the mirror that the environment variable
HF_ENDPOINT names; and Labelled Faces in the Wild (LFW), where the user has not put its archive.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from fvae import layout
from fvae.errors import UserError
from fvae.files import write

ADDRESS = re.compile(r"^hf://(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>\w[\w./-]*)$")
COMPLETE = ".complete"  # an empty file in a folder of which every file was downloaded and compared
LFW = "lfw-deepfunneled.tgz"
TIMEOUT = 30.0  # seconds without an answer of a server


def fetched(path: str) -> bool:
    """Whether the program downloads a source: an address, or LFW where neither its file nor DVC's record is there."""
    if path.startswith("hf://"):
        return True
    return Path(path).name == LFW and not Path(path).exists() and _dvc_file(Path(path)) is None


def local(path: str) -> Path:
    """The file or the folder of a source, downloaded where `fetched(path)` and where it was not downloaded before.

    Raises UserError where an address is malformed, a server cannot be reached, or a checksum differs.
    """
    if not fetched(path):
        return Path(path)
    if path.startswith("hf://"):
        return _shards(path)
    archive = layout.FETCHED / LFW
    if not archive.exists():
        _download_lfw(archive, path)
    return archive


def missing_source(path: str | Path) -> str:
    """What to say of a source that does not exist: what the user can do."""
    dvc_file = _dvc_file(Path(path))
    if dvc_file is not None:
        return f"{path} does not exist; DVC has a record of it: dvc pull {dvc_file}"
    return f"{path} does not exist; put the archive or the folder of images there, or name another path"


def _dvc_file(path: Path) -> Path | None:
    """The file in which DVC records a path or a folder that holds it."""
    files = (folder.with_name(f"{folder.name}.dvc") for folder in (path, *path.parents) if folder.name)
    return next((file for file in files if file.is_file()), None)


def _shards(path: str) -> Path:
    """The folder to which the parquet shards of a data set were downloaded.

    Files that are already there are not downloaded again, and an interrupted download continues. Then all files are
    compared with the hub's checksums. Where the hub cannot be reached, a folder that was once complete is used.
    """
    match = ADDRESS.match(path)
    if not match:
        raise UserError(f"data.path: {path} is not hf://OWNER/NAME@REVISION, REVISION a commit, a tag or a branch")
    from huggingface_hub import HfApi, snapshot_download

    repository, revision = match["repository"], match["revision"]
    folder = layout.FETCHED / "huggingface" / repository.replace("/", "--") / revision.replace("/", "--")
    complete = folder / COMPLETE
    try:
        HfApi().dataset_info(repository, revision=revision)
        complete.unlink(missing_ok=True)
        snapshot_download(
            repository, repo_type="dataset", revision=revision, allow_patterns=["*.parquet"], local_dir=folder
        )
        compared = HfApi().verify_repo_checksums(repository, repo_type="dataset", revision=revision, local_dir=folder)
    except Exception as error:  # the client also raises the errors of its HTTP library, which its versions change
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


def _download_lfw(archive: Path, own: str) -> None:
    """Download LFW from the address that torchvision has; `own` is where the user may put it instead.

    Raises UserError where that fails.
    """
    from torchvision.datasets import LFWPeople
    from torchvision.datasets.utils import download_url

    _, name, md5 = LFWPeople.file_dict["deepfunneled"]
    url = LFWPeople.download_url_prefix + name
    try:
        with socket_timeout(TIMEOUT):
            write(archive, lambda partial: download_url(url, partial.parent, partial.name, md5))
    except (OSError, RuntimeError, HTTPException) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{own}: not there, and {url} cannot be fetched ({reason}); put the file there") from error


@contextmanager
def socket_timeout(seconds: float) -> Iterator[None]:
    """In this context a connection on which nothing arrives for so many seconds ends with an OSError."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
