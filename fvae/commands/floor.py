"""The `floor` command: what perfect samples would reach in each distance."""

from __future__ import annotations

from fvae import layout
from fvae.evaluation.floor import measure
from fvae.files import write_json
from fvae.params import load


def run(experiment_name: str) -> None:
    """Write results/EXPERIMENT/runs/floor.json. Raises UserError where images, or FID's reference, are missing."""
    experiment = load().experiment(experiment_name)
    write_json(layout.floor(experiment_name), measure(experiment_name, experiment))
