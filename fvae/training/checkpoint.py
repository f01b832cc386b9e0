"""Weights as safetensors files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fvae.errors import UserError
from fvae.files import write


def copied_weights(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers, copied to the CPU."""
    return {name: tensor.to("cpu", copy=True).contiguous() for name, tensor in model.state_dict().items()}


def save_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Write parameters and buffers as safetensors."""
    write(path, partial(save_file, weights))


def load_weights(path: Path, model: nn.Module, command: str = "train") -> None:
    """Read weights into a model of the same shape; `command` makes them.

    Raises UserError where they are missing or of another shape.
    """
    try:
        model.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise UserError(f"{path}: missing; train the model first: python -m fvae {command}") from error
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: not the weights of this model ({reason}); train it again") from error
