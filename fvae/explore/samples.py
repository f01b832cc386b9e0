"""The tab Samples: models side by side at the same seed and temperature."""

from __future__ import annotations

import json

import numpy as np

from fvae import layout
from fvae.explore.catalogue import Catalogue
from fvae.explore.pictures import grid, png, side_by_side
from fvae.library import TrainedModel
from fvae.paper import style
from fvae.provenance import provenance

COLUMNS = 3


def samples(trained: TrainedModel, rows: int, temperature: float, seed: int) -> np.ndarray:
    """Random samples in rows: uint8 (H, W, 4). Fewer rows are the first ones of more."""
    return grid(trained.sample(rows * COLUMNS, temperature, seed), COLUMNS)


def saved(
    catalogue: Catalogue, models: list[str], run: int, rows: int, temperature: float, seed: int
) -> tuple[str, bytes]:
    """The name and the content of a PNG of the samples of several models, as `python -m fvae provenance` reads it.

    Raises UserError where a model is not trained.
    """
    sheets = {
        style.label(name): catalogue.model(name, run).sample(rows * COLUMNS, temperature, seed) for name in models
    }
    caption = f"{catalogue.name}: random samples, temperature {temperature:g}, seed {seed}, training seed {run}"
    made_of = provenance(
        catalogue.name, catalogue.experiment, [layout.Run(catalogue.name, name, run) for name in models]
    )
    explored = {"models": models, "temperature": temperature, "seed": seed, "images": rows * COLUMNS}
    content = png(side_by_side(sheets, COLUMNS, caption), json.dumps(made_of | {"samples": explored}))
    return f"{catalogue.name}-samples-T{temperature:g}-seed{seed}.png", content
