"""The `inception` command: the weights of FID's network."""

from __future__ import annotations

import sys

from fvae import layout
from fvae.errors import UserError
from fvae.evaluation.inception import fetch, verify
from fvae.files import write_json
from fvae.params import load


def run() -> None:
    """Fetch the weights, or check those that params.yaml names; write data/inception/status.json, which says where.

    Without a network and without a file the status gives the reason, and FID is n/a. Raises UserError where
    params.yaml names a file that is missing or not those weights.
    """
    given = load().inception.path
    path = given or layout.INCEPTION_WEIGHTS
    status: dict[str, str | None] = {"path": str(path), "reason": None}
    try:
        if given is None and not path.exists():
            fetch(path)
        verify(path)
    except UserError as error:
        if given is not None:
            raise
        status = {"path": None, "reason": str(error)}
        print(f"fvae: FID will be n/a: {error}", file=sys.stderr)
    write_json(layout.INCEPTION_STATUS, status)
