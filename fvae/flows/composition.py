"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from fvae.flows.layer import Layer


class Composition(Layer):
    """The composition of layers; log-determinants add."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | float]:
        logdet: Tensor | float = 0.0
        for layer in self.layers:
            x, layer_logdet = layer(x)
            logdet = logdet + layer_logdet
        return x, logdet

    def inverse(self, y: Tensor) -> Tensor:
        for layer in reversed(self.layers):
            assert isinstance(layer, Layer)
            y = layer.inverse(y)
        return y

    def primitives(self) -> list[Layer]:
        """The layers that are not themselves compositions, in order."""
        found: list[Layer] = []
        for layer in self.layers:
            assert isinstance(layer, Layer)
            found += layer.primitives() if isinstance(layer, Composition) else [layer]
        return found
