"""Models on the Hugging Face Hub, or on the mirror that the environment variable HF_ENDPOINT names."""

from __future__ import annotations

import re
from pathlib import Path

from fvae.errors import UserError
from fvae.library.folder import CONFIG, WEIGHTS

PREFIX = "hf://"
ADDRESS = re.compile(r"hf://(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>\w[\w./-]*))?")


def is_address(place: str | Path) -> bool:
    """Whether a place is on the Hub."""
    return str(place).startswith(PREFIX)


def download(address: str) -> Path:
    """The folder of a model's files in the cache that all programs share for the Hub.

    What is there is not downloaded again, and is used where the Hub cannot be reached. Raises UserError where the
    address is malformed, or where there is no such model.
    """
    match = ADDRESS.fullmatch(address)
    if not match:
        raise UserError(f"{address} is not hf://OWNER/NAME or hf://OWNER/NAME@REVISION")
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(match["repository"], revision=match["revision"], allow_patterns=[CONFIG, WEIGHTS])
    except Exception as error:  # the client also raises the errors of its HTTP library, which its versions change
        raise UserError(f"{address} cannot be fetched: {' '.join(str(error).split())[:300]}") from error
    if not (Path(folder) / CONFIG).is_file():
        raise UserError(f"{address} is no model of fvae: it has no {CONFIG}")
    return Path(folder)
