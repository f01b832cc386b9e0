"""An affine map whose scale and shift are functions only of the image, as in equation (16)."""

from __future__ import annotations

from torch import Tensor, nn

from fvae.flows.conv import Conv3x3, zero_start
from fvae.flows.layer import soft_clamp


class ConditionalAffine(nn.Module):
    """f → σ(x) ⊗ f + μ(x), where a Conv3×3 of h = E(x), zero at the start, gives log σ and μ; log|det| = Σ log σ."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.network = zero_start(Conv3x3(channels, 2 * channels))

    def forward(self, f: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """f and h, both (N, C, H, W) → the same shape, and log|det| (N,); log σ is softly clamped to ±4."""
        log_sigma, mu = self.network(h).to(f.dtype).chunk(2, 1)
        log_sigma = soft_clamp(log_sigma, 4.0)
        return log_sigma.exp() * f + mu, log_sigma.sum((1, 2, 3))
