"""Numbers of several seeds, made up, and experiments that a test changes."""

import numpy as np


def around(mean, spread=0.01, seeds=5):
    """A number for each seed, evenly spaced, with about that relative standard deviation."""
    places = np.linspace(-1, 1, seeds) if seeds > 1 else np.zeros(1)
    scale = places.std(ddof=1) if seeds > 1 else 1.0
    return [float(mean * (1 + spread * place / scale)) for place in places]


def curves(distances, spread=0.01, seeds=5):
    """The distances of a curve's validations for each seed."""
    return [[factor * distance for distance in distances] for factor in around(1.0, spread, seeds)]


def with_seeds(experiment, seeds):
    return experiment.model_copy(update={"seeds": tuple(range(seeds))})


def with_claims(experiment, **changes):
    return experiment.model_copy(update={"claims": experiment.claims.model_copy(update=changes)})
