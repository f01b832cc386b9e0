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


def save_state(path: Path, state: dict[str, Any]) -> None:
    """The whole state of a training."""
    write(path, lambda partial: torch.save(state, partial))


def load_state(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The state of an interrupted training with that fingerprint; None where there is none, or a damaged one."""
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile):
        return None
    return state if state.get("fingerprint") == fingerprint else None
