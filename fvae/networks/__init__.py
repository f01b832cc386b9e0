"""Encoders E and decoders G, which can be exchanged: the authors' residual ones, and ordinary convolutional ones."""

from __future__ import annotations

from typing import Any

from torch import nn

from fvae.networks.base import Encoder, Shape
from fvae.networks.conv import ConvDecoder, ConvEncoder
from fvae.networks.residual import ResidualDecoder, ResidualEncoder

NETWORKS = {"residual": (ResidualEncoder, ResidualDecoder), "conv": (ConvEncoder, ConvDecoder)}


def encoder_and_decoder(shape: Shape, networks: str = "residual", **sizes: Any) -> tuple[Encoder, nn.Module]:
    """E and G for images of a shape (C, H, W). Raises ValueError where their sizes do not fit the images."""
    make_encoder, make_decoder = NETWORKS[networks]
    encoder = make_encoder(shape, **sizes)
    decoder = make_decoder(shape, **sizes)
    decoder.mirror(encoder)
    return encoder, decoder
