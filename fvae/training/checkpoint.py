"""Weights as safetensors, and the states from which an interrupted training goes on."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fvae.errors import UserError
from fvae.files import write

DIGEST = 32  # bytes of a SHA-256


def copied_weights(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers, copied to the CPU."""
    return {name: tensor.to("cpu", copy=True).contiguous() for name, tensor in model.state_dict().items()}


def save_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Parameters and buffers as safetensors."""
    write(path, partial(save_file, weights))


def load_weights(path: Path, model: nn.Module) -> None:
    """Read weights into a model of the same shape. Raises UserError where they are missing or of another shape."""
    try:
        model.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; train the model first: python -m fvae train") from error
    except Exception as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: not the weights of this model ({reason}); train it again") from error


class States:
    """Two states of a training in `folder`: the newest, and that of the last validation, or of the start.

    A training that was interrupted goes on from the newest, and from the other where a disk has damaged that. One that
    diverges goes back to the validated one, wherever a clock or a signal had a state saved since.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.newest, self.validated = folder / "state.pt", folder / "state.validated.pt"
        self.fingerprint = fingerprint

    def save(self, state: dict[str, Any], *, validated: bool) -> None:
        """Write the newest state, and before it the same as the validated one."""
        for path in (self.validated, self.newest) if validated else (self.newest,):
            write(path, partial(self._write, {"fingerprint": self.fingerprint, **state}))

    def load(self) -> dict[str, Any] | None:
        """The newest state that is whole and has this fingerprint; None where there is none."""
        return self._read(self.newest) or self._read(self.validated)

    def load_validated(self) -> dict[str, Any] | None:
        """The state to go back to; None where it is damaged."""
        return self._read(self.validated)

    def remove(self) -> None:
        """Both are done with."""
        self.newest.unlink(missing_ok=True)
        self.validated.unlink(missing_ok=True)

    @staticmethod
    def _write(state: dict[str, Any], path: Path) -> None:
        """The SHA-256 of what follows it, and the state."""
        with path.open("w+b") as file:
            file.write(bytes(DIGEST))
            torch.save(state, file)
            file.seek(DIGEST)
            digest = hashlib.file_digest(file, "sha256").digest()
            file.seek(0)
            file.write(digest)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            with path.open("rb") as file:
                if file.read(DIGEST) != hashlib.file_digest(file, "sha256").digest():
                    return None
                file.seek(DIGEST)
                state = torch.load(file, weights_only=True, map_location="cpu")
        except OSError:
            return None
        return state if state["fingerprint"] == self.fingerprint else None
