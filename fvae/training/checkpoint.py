"""Weights as safetensors, and the state from which an interrupted training goes on."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fvae.errors import UserError
from fvae.files import write


def save_weights(path: Path, model: nn.Module) -> None:
    """Parameters and buffers as safetensors."""
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    write(path, lambda partial: save_file(weights, partial))


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
    """The state of a training in `folder`, and the one before it, for the day on which a disk or a kill damages one."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.last, self.previous = folder / "state.pt", folder / "state.previous.pt"
        self.fingerprint = fingerprint

    def save(self, state: dict[str, Any]) -> None:
        """Write the state; the last one becomes the previous."""

        def rotate_and_save(partial: Path) -> None:
            torch.save({"fingerprint": self.fingerprint, **state}, partial)
            if self.last.exists():
                self.last.replace(self.previous)

        write(self.last, rotate_and_save)

    def load(self) -> dict[str, Any] | None:
        """The newest state that is whole and has this fingerprint; None where there is none."""
        return self._read(self.last) or self._read(self.previous)

    def remove(self) -> None:
        """Both are done with."""
        self.last.unlink(missing_ok=True)
        self.previous.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            with zipfile.ZipFile(path) as file:
                if file.testzip() is not None:  # every part against its checksum, which torch.load does not look at
                    return None
            state = torch.load(path, weights_only=True, map_location="cpu")
        except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile):
            return None
        return state if state.get("fingerprint") == self.fingerprint else None
