"""The `describe` command: the models of an experiment, or what an image source is taken for."""

from __future__ import annotations

import json
from typing import Any

from fvae.data.inspection import inspect
from fvae.errors import UserError
from fvae.models.build import describe
from fvae.models.match import resolve
from fvae.params import Experiment, Images, load


def run(experiment_name: str | None, as_json: bool, source: str | None) -> None:
    """Print a description of each model of an experiment, or, where a source is given, of the source.

    Raises UserError where neither is given.
    """
    if source is not None:
        if not source:
            raise UserError("--data: a folder or an archive is needed")
        settings = load().experiment(experiment_name).data if experiment_name else None
        print(inspect(source, settings if isinstance(settings, Images) else None))
        return
    if experiment_name is None:
        raise UserError("describe: --experiment or --data is missing")
    models = descriptions(load().experiment(experiment_name))
    print(json.dumps(models, indent=2) if as_json else "\n".join(as_text(name, models[name]) for name in models))


def descriptions(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Each model's size, and its section of the parameters with the matched size."""
    return {
        name: describe(spec, experiment.data.size) | {"spec": spec.model_dump(mode="json")}
        for name, spec in resolve(experiment).items()
    }


def as_text(name: str, size: dict[str, Any]) -> str:
    """A model's size in lines to read."""
    effective, macs = size["effective_parameters"], size["macs"] / 1e6
    without = f" ({effective:,} effective)" if effective < size["parameters"] else ""
    shapes = ", ".join("×".join(map(str, shape)) for shape in size["latent"]["shapes"])
    return "\n".join(
        [
            f"{name}: {size['parameters']:,} parameters{without}, {macs:,.1f} M multiply-accumulates per image",
            *(f"  {part:<16} {parameters:>12,}" for part, parameters in size["parts"].items()),
            f"  latent: {size['latent']['dims']:,} = {shapes} (C×H×W)",
        ]
    )
