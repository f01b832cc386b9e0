"""Models from their sections of params.yaml, and what they cost."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from fvae.errors import UserError
from fvae.files import read_json
from fvae.flows.conv import Conv3x3
from fvae.flows.made import MaskedLinear
from fvae.flows.mixing import InvertibleConv1x1
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model
from fvae.models.flow import FlowModel
from fvae.models.fvae import FVAE
from fvae.models.iaf import IAF
from fvae.models.mixture import Mixture
from fvae.models.planar import PlanarVAE
from fvae.models.vae import VAE
from fvae.params import ModelSpec, TaggedModelSpec, free_sizes

KINDS: dict[str, type[Model]] = {
    "vae": VAE,
    "flow": FlowModel,
    "mixture": Mixture,
    "fvae": FVAE,
    "planar": PlanarVAE,
    "iaf": IAF,
}


def build(spec: ModelSpec, size: int, bits: int = 8) -> Model:
    """The model of a resolved section, for RGB images of size×size and bits.

    Raises UserError where a size is still 'match', or where the model does not fit the images.
    """
    for section, free in free_sizes(spec):
        raise UserError(f"{section}.{free} is 'match': solve for it first, with fvae.models.match.resolve_one")
    parts = spec.model_dump(include={"encoder", "flow", "sigma_floor", "sigma_rate", "sigma1", "sigma2"})
    try:
        model = KINDS[spec.kind]((3, size, size), **parts)
    except ValueError as error:
        raise UserError(f"a {spec.kind} does not fit images of {size}×{size}: {error}") from error
    model.bits = bits
    return model


def read_spec(path: Path, command: str = "train") -> ModelSpec:
    """The resolved section beside a trained model's weights. Raises UserError where it is missing or damaged."""
    return read_json(path, command, TaggedModelSpec)


@lru_cache
def describe(spec: ModelSpec, size: int) -> dict[str, Any]:
    """What a model costs, for images of size×size: a ModelSize of `fvae.results`.

    It has the trainable parameters (all, effective ones, by part), the multiply-accumulates of equation (6) for one
    image, and the shapes of u and z.
    """
    with torch.device("meta"):  # shapes only: no memory, no arithmetic
        model = build(spec, size)
        cost = convolutions(model)
        return {
            "kind": spec.kind,
            "parameters": count(model),
            "effective_parameters": cost.effective_parameters,
            "parts": parts(model),
            "macs": cost.macs,
            "noise": list(model.noise_shape),
            "latent": {"dims": model.latent_dims, "shapes": [list(shape) for shape in model.latent_shapes()]},
        }


def count(module: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def effective_parameters(model: Model) -> int:
    """The number of trainable parameters that ever get a gradient."""
    return convolutions(model).effective_parameters


def macs(model: Model) -> int:
    """Multiply-accumulates of convolutions and dense layers for one image, nearly all of a model's arithmetic."""
    return convolutions(model).macs


class Convolutions(NamedTuple):
    """What the convolutions and dense layers of a model cost."""

    macs: int  # multiply-accumulates of equation (6) for one image
    effective_parameters: int  # of the whole model


class _ShapesOfConvolutions(TorchFunctionMode):
    """Within it a convolution computes one channel and repeats it: the right shape, for hardly any arithmetic."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not torch.conv2d:
            return func(*args, **(kwargs or {}))
        (x, weight), geometry = args[:2], args[3:6]  # stride, padding, dilation; the third is the bias
        return func(x[:, :1], weight[:1, :1], None, *geometry).repeat(1, len(weight), 1, 1)


@torch.no_grad()
def convolutions(model: Model) -> Convolutions:
    """Count while equation (6) is computed for one image, by a model that has no weights yet: one on the meta device.

    Some weights of 3×3 convolutions on one row or one column are only ever multiplied with padding: they never get a
    gradient. On 1×1 images Conv3x3 leaves them out. A masked dense layer computes with the weights that its mask sets
    to zero, and they are counted in its arithmetic; but they get no gradient either.
    """
    macs = 0
    unused: dict[nn.Module, int] = {}

    def count_one(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor, Tensor]) -> None:
        nonlocal macs
        if isinstance(module, nn.Linear):
            macs += module.weight.numel()
            unused[module] = module.unused if isinstance(module, MaskedLinear) else 0
            return
        rows, columns = inputs[0].shape[-2:]
        if isinstance(module, InvertibleConv1x1):
            macs += inputs[0].shape[1] ** 2 * rows * columns
            return
        assert isinstance(module, nn.Conv2d)
        assert isinstance(output, Tensor)
        weights = module.weight.numel()
        if isinstance(module, Conv3x3):
            taps = (3 if rows > 1 else 1) * (3 if columns > 1 else 1)
            unused[module] = weights * (9 - taps) // 9
            weights = weights if (rows, columns) != (1, 1) else weights // 9
        macs += weights * output.shape[-2] * output.shape[-1]

    hooks = [
        module.register_forward_hook(count_one)
        for module in model.modules()
        if isinstance(module, nn.Conv2d | InvertibleConv1x1 | nn.Linear)
    ]
    # Weights are memory as it happens to be, which costs nothing; orders of channels are among the buffers, and must be
    # numbers of channels. On the meta device itself PyTorch would import its compiler, for seconds.
    weights = {name: torch.empty(parameter.shape, device="cpu") for name, parameter in model.named_parameters()}
    buffers = {name: torch.zeros(b.shape, dtype=b.dtype, device="cpu") for name, b in model.named_buffers()}
    images, noise = (torch.zeros(1, *shape, device="cpu") for shape in (model.shape, model.noise_shape))
    with _ShapesOfConvolutions():
        functional_call(model, (weights, buffers), (images, noise))
    for hook in hooks:
        hook.remove()
    return Convolutions(macs, count(model) - sum(unused.values()))


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
