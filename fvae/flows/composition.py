"""The composition of invertible layers."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from fvae.flows.layer import Layer


class Composition(Layer):
    """Layers applied one after the other; their log-determinants add up."""

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
        """The layers in order, with those of inner compositions in place of the compositions."""
        found: list[Layer] = []
        for layer in self.layers:
            assert isinstance(layer, Layer)
            found += layer.primitives() if isinstance(layer, Composition) else [layer]
        return found
