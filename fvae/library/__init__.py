"""Trained models for use in other programs: `fvae.load` gives a TrainedModel."""

from __future__ import annotations

from fvae.library.folder import save
from fvae.library.images import as_array, to_pil
from fvae.library.loading import load_model
from fvae.library.trained_model import TrainedModel

__all__ = ["TrainedModel", "as_array", "load_model", "save", "to_pil"]
