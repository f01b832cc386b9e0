"""Portraits drawn from a seed: the embedded data set, offline, at any resolution and with known factors."""

from fvae.data.portraits.painting import draw
from fvae.data.portraits.people import factors

__all__ = ["draw", "factors"]
