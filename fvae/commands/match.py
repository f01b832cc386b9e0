"""The `match` command: a model's matched size, and what the model costs."""

from __future__ import annotations

from fvae import layout
from fvae.commands.arguments import experiment_with
from fvae.files import write_json
from fvae.models.build import describe
from fvae.models.match import resolve_one


def run(experiment_name: str, model: str) -> None:
    """Write results/EXPERIMENT/runs/MODEL/model.json: the resolved section and its description.

    Raises UserError where the experiment has no such model, or where no size of it matches.
    """
    experiment = experiment_with(experiment_name, model)
    spec = resolve_one(experiment, model)
    size = describe(spec, experiment.data.size)
    write_json(layout.model(experiment_name, model), {"spec": spec.model_dump(mode="json"), "size": size})
