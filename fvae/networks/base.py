"""What all encoders E have in common, and the shapes of their latents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

Shape = tuple[int, int, int]
# "full": as many dimensions as the image; a number of channels; or {"dense": k}: k numbers without a place in the image
Latent = Literal["full"] | int | Mapping[str, int]


class Encoder(nn.Module):
    """E, in two parts: `mean` of `features`. A posterior with a σ(x) computes it from the same features, by `head`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape  # of E(x)

    def features(self, x: Tensor) -> Tensor:
        """What E(x) and other numbers of the posterior are computed from: (N, C, H, W) → (N, …)."""
        raise NotImplementedError

    def mean(self, features: Tensor) -> Tensor:
        """Features → E(x), (N, *shape)."""
        raise NotImplementedError

    def head(self, channels: int | None = None) -> nn.Module:
        """A new network, zero at the start, from the features to a tensor shaped as E(x), or with so many channels."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """x → E(x), (N, C, H, W) → (N, *shape)."""
        return self.mean(self.features(x))


def latent_shape(image: Shape, levels: int, latent: Latent) -> Shape:
    """The shape of E(x) where each level halves the image.

    Raises ValueError where the levels do not divide the image, or where the latent is not smaller than the image.
    """
    channels, rows, columns = image
    if rows % 2**levels or columns % 2**levels:
        raise ValueError(f"{levels} levels of an encoder do not divide {rows}×{columns}")
    full, rows, columns = channels * 4**levels, rows // 2**levels, columns // 2**levels
    if latent == "full":
        return full, rows, columns
    if isinstance(latent, Mapping):
        if latent["dense"] >= full * rows * columns:
            raise ValueError(f"a dense latent of {latent['dense']} is no smaller than the image; say full")
        return latent["dense"], 1, 1
    assert isinstance(latent, int)
    if latent >= full:
        raise ValueError(f"a latent of {latent} channels is no smaller than the image, {full} there; say full")
    return latent, rows, columns
