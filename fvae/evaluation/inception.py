"""The weights of FID's Inception network: downloaded once, and verified."""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path

from fvae.data.hub import socket_timeout
from fvae.errors import UserError
from fvae.files import sha256

NAME = "pt_inception-2015-12-05-6726825d.pth"  # as the pytorch-fid project releases it
URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{NAME}"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
TIMEOUT = 10.0  # seconds to wait for an answer


def verify(path: Path) -> None:
    """Raises UserError where the file is missing, or is not the one with which FID is computed everywhere."""
    try:
        digest = sha256(path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; inception.path in params.yaml names the weights of FID") from error
    if digest != SHA256:
        raise UserError(
            f"{path}: not the weights of FID's network (SHA-256 {digest[:8]}…, not {SHA256[:8]}…); "
            f"put pytorch-fid's {NAME} in its place"
        )


def fetch(target: Path) -> None:
    """Download the weights and verify them; `target` exists afterwards only if both succeeded.

    Raises UserError, which says what to do, where they did not.
    """
    from torch.hub import download_url_to_file

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with socket_timeout(TIMEOUT):
            download_url_to_file(URL, str(target), hash_prefix=SHA256)
    except (OSError, HTTPException, RuntimeError) as error:
        raise UserError(
            f"FID needs Inception weights, which could not be fetched ({getattr(error, 'reason', error)}): put "
            f"{target.name} into {target.parent}, or name it under inception.path in params.yaml, or go online; then "
            "run snakemake --cores 1 -R inception_weights all"
        ) from error
