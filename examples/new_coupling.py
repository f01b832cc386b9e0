"""A new coupling in Glow, beside the affine one: it stretches what is above and below a threshold differently.

PYTHONPATH=. python examples/new_coupling.py
"""

import argparse

import torch

from fvae.data.pixels import dequantise
from fvae.data.portraits import draw
from fvae.flows.coupling import COUPLINGS, Coupling
from fvae.flows.layer import soft_clamp
from fvae.models.flow import FlowModel
from fvae.objective import bits_per_dim


class TwoPieceCoupling(Coupling):
    """y2 = s ⊗ v, v = x2 + t, where s is one of two functions of x1 by the sign of v, which y2 shares."""

    def __init__(self, channels, width, order=None):
        super().__init__(channels, width, outputs=3, order=order)

    def move(self, x2, h):
        above, below, t = h.chunk(3, 1)
        v = x2 + t
        log_s = soft_clamp(torch.where(v > 0, above, below))
        return v * log_s.exp(), log_s.sum((1, 2, 3))

    def move_back(self, y2, h):
        above, below, t = h.chunk(3, 1)
        return y2 * (-soft_clamp(torch.where(y2 > 0, above, below))).exp() - t


COUPLINGS["two_piece"] = TwoPieceCoupling

arguments = argparse.ArgumentParser()
for name, value in (("--size", 32), ("--images", 2000), ("--steps", 300)):
    arguments.add_argument(name, type=int, default=value)
chosen = arguments.parse_args()

images = torch.from_numpy(draw(range(chosen.images), chosen.size, seed=0))
for coupling in ("affine", "two_piece"):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    flow = {"levels": 3, "steps": 4, "width": 48, "mixing": "conv1x1", "actnorm": True}
    model = FlowModel((3, chosen.size, chosen.size), flow=flow | {"coupling": coupling})
    adam = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(chosen.steps):
        x = dequantise(images[torch.randint(len(images), (32,))], generator)
        if step == 0:
            model.initialise(x, torch.zeros_like(x))
        loss = bits_per_dim(model.nll(x), model.dims).mean()  # exact
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        adam.step()
    with torch.no_grad():
        error = (model.decode(model.encode(x)) - x).abs().max()
    print(f"{coupling}: {loss:.3f} bits/dim in the last batch, x = F⁻¹(F(x)) to {error:.0e}")
