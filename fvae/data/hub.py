"""Data sets of the Hugging Face hub, or of the mirror that HF_ENDPOINT names."""

from __future__ import annotations

import re
from pathlib import Path

from fvae.errors import UserError

PLACE = Path("data/raw/huggingface")
ADDRESS = re.compile(r"^hf://(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[\w.-]+)$")


def local(path: str) -> Path:
    """The path itself, or of hf://OWNER/NAME@REVISION the folder to which its parquet shards were downloaded.

    What is already there is not fetched again, and a download that broke off goes on; then all is compared with the
    hub's checksums. Raises UserError where the address is none, the hub cannot be reached, or a checksum differs.
    """
    if not path.startswith("hf://"):
        return Path(path)
    match = ADDRESS.match(path)
    if not match:
        raise UserError(f"data.path: {path} is not hf://OWNER/NAME@REVISION, REVISION a commit, a tag or a branch")
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, revision = match["repository"], match["revision"]
    folder = PLACE / repository.replace("/", "--") / revision
    try:
        snapshot_download(
            repository, repo_type="dataset", revision=revision, allow_patterns=["*.parquet"], local_dir=folder
        )
        compared = HfApi().verify_repo_checksums(repository, repo_type="dataset", revision=revision, local_dir=folder)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UserError(f"data.path: {path} cannot be fetched: {' '.join(str(error).split())[:300]}") from error
    if compared.mismatches:
        damaged = folder / compared.mismatches[0]["path"]
        raise UserError(
            f"data.path: {damaged} does not have the checksum of {path}; remove it, and it is fetched again"
        )
    return folder
