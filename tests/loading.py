"""fvae.load in a process of its own, for the Hub's client reads its environment when it is imported."""

import numpy as np

import fvae


def sample(place, file):
    """Two samples of a model, which are written to a file."""
    np.save(file, fvae.load(place, "cpu").sample(2))
