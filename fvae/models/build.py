"""Models from their sections of params.yaml, and what they cost."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fvae.errors import UserError
from fvae.files import read_json
from fvae.flows.conv import Conv3x3
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model
from fvae.models.flow import FlowModel
from fvae.models.fvae import FVAE
from fvae.models.mixture import Mixture
from fvae.models.vae import VAE
from fvae.params import ModelSpec, TaggedModelSpec, free_sizes

KINDS: dict[str, type[Model]] = {"vae": VAE, "flow": FlowModel, "mixture": Mixture, "fvae": FVAE}


def build(spec: ModelSpec, size: int, bits: int = 8) -> Model:
    """The model of a resolved section, for RGB images of size×size and bits.

    Raises UserError where a size is still 'match', or where the model does not fit the images.
    """
    for section, free in free_sizes(spec):
        raise UserError(f"{section}.{free} is 'match': solve for it first, with fvae.models.match.resolve_one")
    parts = spec.model_dump(include={"encoder", "flow", "sigma_floor"})
    try:
        model = KINDS[spec.kind]((3, size, size), **parts)
    except ValueError as error:
        raise UserError(f"a {spec.kind} does not fit images of {size}×{size}: {error}") from error
    model.bits = bits
    return model


def read_spec(path: Path) -> ModelSpec:
    """The resolved section beside a trained model's weights. Raises UserError where it is missing or damaged."""
    return read_json(path, "train", TaggedModelSpec)


@lru_cache
def describe(spec: ModelSpec, size: int) -> dict[str, Any]:
    """What a model costs, for images of size×size: a ModelSize of `fvae.results`.

    It has the trainable parameters (all, effective ones, by part), the multiply-accumulates of equation (6) for one
    image, and the shapes of u and z.
    """
    with torch.device("meta"):  # shapes only: no memory, no arithmetic
        model = build(spec, size)
        return {
            "kind": spec.kind,
            "parameters": count(model),
            "effective_parameters": effective_parameters(model),
            "parts": parts(model),
            "macs": macs(model),
            "noise": list(model.noise_shape),
            "latent": {"dims": model.latent_dims, "shapes": [list(shape) for shape in model.latent_shapes()]},
        }


def count(module: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def effective_parameters(model: Model) -> int:
    """The number of trainable parameters that ever get a gradient."""
    return count(model) - padding_weights(model)


def padding_weights(model: Model) -> int:
    """How many weights are only ever multiplied with padding: some of 3×3 convolutions on one row or one column."""
    weights: dict[str, int] = {}

    def count_padding(name: str, conv: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        rows, columns = inputs[0].shape[-2:]
        taps = (3 if rows > 1 else 1) * (3 if columns > 1 else 1)
        assert isinstance(conv, Conv3x3)
        weights[name] = conv.weight.numel() * (9 - taps) // 9

    hooks = [
        module.register_forward_pre_hook(lambda conv, inputs, name=name: count_padding(name, conv, inputs))
        for name, module in model.named_modules()
        if isinstance(module, Conv3x3)
    ]
    run(model)
    for hook in hooks:
        hook.remove()
    return sum(weights.values())


def macs(model: Model) -> int:
    """Multiply-accumulates of the convolutions for one image, which are nearly all of a model's arithmetic."""
    from torch.utils.flop_counter import FlopCounterMode  # takes a second to import

    with FlopCounterMode(display=False) as counter:
        run(model)
    return counter.get_flop_counts()["Global"][torch.ops.aten.convolution] // 2


@torch.no_grad()
def run(model: Model) -> None:
    """Compute equation (6) for one image with a model on the meta device."""
    model(torch.zeros(1, *model.shape), torch.zeros(1, *model.noise_shape))


def parts(model: Model) -> dict[str, int]:
    """Trainable parameters by part of the model; a flow's by level."""
    sizes: dict[str, int] = {}
    for name, module in model.named_children():
        if isinstance(module, MultiScaleFlow):
            for kind in ("levels", "splits"):
                sizes |= {f"{name}.{kind}.{i}": count(part) for i, part in enumerate(getattr(module, kind))}
            sizes[f"{name}.last"] = count(module.last)
        elif count(module):
            sizes[name] = count(module)
    return sizes
