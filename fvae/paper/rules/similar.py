"""'The same size and length of training': whether two models agree in it, and the numbers that a reader needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from fvae.paper import style
from fvae.paper.rules.comparison import Refusal
from fvae.paper.rules.measured import Measured

SIZE = 1.10  # the largest ratio of two sizes that agree
LENGTH = 1.01  # and of two numbers of images seen
QUANTITIES = {
    "parameters": "parameters",
    "effective_parameters": "effective parameters",
    "macs": "multiply-accumulates",
}


def not_similar(measured: Measured, ours: str, theirs: str) -> Refusal | None:
    """Why two models may not be compared at the same size and length of training."""
    sizes = [measured.sizes[model] for model in (ours, theirs)]
    if not any(agree(sizes[0][quantity], sizes[1][quantity], SIZE) for quantity in QUANTITIES):
        return Refusal(
            "The models agree within 10 % neither in parameters nor in multiply-accumulates.", "Models of one size."
        )
    images = [*measured.images(ours), *measured.images(theirs)]
    if not agree(min(images), max(images), LENGTH):
        return Refusal("The runs did not see the same number of images.", "Trainings of one length.")
    return None


def agree(one: float, other: float, limit: float) -> bool:
    """Whether two positive numbers differ by no more than a ratio."""
    return max(one, other) <= limit * min(one, other)


def sizes(measured: Measured, *models: str) -> dict[str, Any]:
    """The sizes and the cost of models, for claims.json."""
    return {
        model: {quantity: measured.sizes[model][quantity] for quantity in QUANTITIES}
        | {"images seen": measured.images(model), "seconds": [cost["seconds"] for cost in measured.costs[model]]}
        for model in models
    }


def in_words(measured: Measured, *models: str) -> str:
    """The same, as a sentence."""
    each = []
    for model in models:
        size, images = measured.sizes[model], measured.images(model)
        seen = f"{min(images):,}" if min(images) == max(images) else f"{min(images):,} to {max(images):,}"
        seconds = np.mean([cost["seconds"] for cost in measured.costs[model]])
        each.append(
            f"{style.label(model)} {size['parameters']:,} parameters, {size['macs'] / 1e6:,.1f} M "
            f"multiply-accumulates, {seen} images in {seconds:,.0f} seconds"
        )
    return f"Sizes: {'; '.join(each)}."
