"""From a model's section of params.yaml to the model; its size; and the widths that make models the same size."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter

from fvae import params
from fvae.errors import UserError
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model
from fvae.models.fvae import FVAE
from fvae.models.glow import Glow
from fvae.models.vae import VAE

KINDS: dict[str, type[Model]] = {"vae": VAE, "glow": Glow, "fvae": FVAE}
Spec = params.VAE | params.Glow | params.FVAE


def build(spec: Spec, size: int) -> Model:
    """The model of a resolved section, for RGB images of size×size. Raises UserError where the two do not fit."""
    parts = spec.model_dump(exclude={"kind", "learning_rate", "start"})
    try:
        return KINDS[spec.kind]((3, size, size), **parts)
    except ValueError as error:
        raise UserError(f"a {spec.kind} does not fit images of {size}×{size}: {error}") from error


def read_spec(path: Path) -> Spec:
    """The resolved section that lies beside a trained model's weights. Raises UserError where it is missing."""
    try:
        return TypeAdapter(params.ModelSpec).validate_json(path.read_text())
    except OSError as error:
        raise UserError(f"{path}: missing; train the model first: python -m fvae train") from error


@lru_cache
def describe(spec: Spec, size: int) -> dict[str, Any]:
    """Trainable parameters in all and by part, multiply-accumulates of equation (6) an image, and latent shapes."""
    with torch.device("meta"):  # shapes only: no memory, no arithmetic
        model = build(spec, size)
        return {
            "kind": spec.kind,
            "parameters": count(model),
            "parts": parts(model),
            "macs": marginal_macs(model),
            "noise": list(model.noise_shape),
            "latent": {"dims": model.latent_dims, "shapes": [list(shape) for shape in model.latent_shapes()]},
        }


@lru_cache
def amount(spec: Spec, size: int, quantity: str) -> int:
    """The quantity that a match is about."""
    with torch.device("meta"):
        model = build(spec, size)
        return count(model) if quantity == "parameters" else marginal_macs(model)


def marginal_macs(model: Model) -> int:
    """Multiply-accumulates that one more image in the batch costs, convolutions and matrix products."""
    from torch.utils.flop_counter import FlopCounterMode  # takes a second to import

    def flops(n: int) -> int:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.zeros(n, *model.shape), torch.zeros(n, *model.noise_shape))
        return counter.get_total_flops()

    return (flops(3) - flops(2)) // 2


def count(module: torch.nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def parts(model: Model) -> dict[str, int]:
    """Trainable parameters by part, the flow's by level."""
    sizes: dict[str, int] = {}
    for name, module in model.named_children():
        if isinstance(module, MultiScaleFlow):
            for kind in ("levels", "splits"):
                sizes |= {f"flow.{kind}.{i}": count(part) for i, part in enumerate(getattr(module, kind))}
            sizes["flow.last"] = count(module.last)
        else:
            sizes[name] = count(module)
    return sizes


def resolve(experiment: params.Experiment) -> dict[str, Spec]:
    """The models with every 'match' replaced by the size that matches. Raises UserError where none does."""
    target = experiment.models[experiment.match.model]
    return {
        name: _matched(name, spec, target, experiment.data.size, experiment.match)
        if "match" in params.free_sizes(spec)
        else spec
        for name, spec in experiment.models.items()
    }


def resized(spec: Spec, k: int) -> Spec:
    """A vae whose expansion, or a glow whose width, is k; expansions count in hundredths, as tables print them."""
    if isinstance(spec, params.VAE):
        return spec.model_copy(update={"encoder": spec.encoder.model_copy(update={"expansion": k / 100})})
    assert isinstance(spec, params.Glow)
    return spec.model_copy(update={"flow": spec.flow.model_copy(update={"width": k})})


@lru_cache
def _matched(name: str, spec: Spec, target: Spec, size: int, match: params.Match) -> Spec:
    goal = amount(target, size, match.quantity)
    tries = [100, 200, 400]
    curve = np.polyfit(tries, [amount(resized(spec, k), size, match.quantity) for k in tries], 2)
    root = float(np.roots(curve - [0, 0, goal]).real.max())  # amounts are quadratic in a width, but for rounding
    near = range(max(1, round(root) - 1), max(1, round(root) + 1) + 1)
    amounts = {k: amount(resized(spec, k), size, match.quantity) for k in near}
    best = min(near, key=lambda k: abs(amounts[k] - goal))
    if abs(amounts[best] / goal - 1) > match.tolerance:
        raise UserError(
            f"models.{name}: no size comes within {match.tolerance:.0%} of {match.model}'s {goal:,} {match.quantity}"
            f" (nearest: {amounts[best]:,}); change its levels or steps, or match.tolerance"
        )
    return resized(spec, best)
