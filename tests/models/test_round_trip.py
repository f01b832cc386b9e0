"""x → z → x in single precision at full depth, after training: within 1e-4."""

import pytest
import torch

from fvae import params
from fvae.models.build import build
from fvae.objective import bits_per_dim

COMMON = {"learning_rate": 1e-3, "init": "data"}
ENCODER = {"levels": 3, "steps": 1, "expansion": 0.2, "latent": "full"}
DEEP = {"levels": 5, "steps": 32}  # celeba64's Glow
FLOWS = {
    "glow": DEEP | {"width": 8, "coupling": "affine", "mixing": "conv1x1", "actnorm": True},
    "authors' glow": DEEP | {"width": 8, "coupling": "additive", "mixing": "shuffle", "actnorm": True},
    "realnvp": DEEP | {"width": 8, "coupling": "affine", "mixing": "swap", "actnorm": True},
    "fvae": {"levels": 4, "steps": 12, "width": 16, "coupling": "additive", "mixing": "shuffle", "actnorm": True},
}


def images(n):
    """Smooth colours with a little noise, as photographs are."""
    x = torch.nn.functional.interpolate(torch.rand(n, 3, 8, 8), 64, mode="bicubic").clamp(0, 1) * 2 - 1
    return (x + 0.06 * torch.randn_like(x)).clamp(-1, 1)


@pytest.mark.parametrize("name", FLOWS)
def test_after_training_at_full_depth(name):
    torch.manual_seed(0)
    if name == "fvae":
        model = build(params.FVAESpec(kind="fvae", encoder=ENCODER, flow=FLOWS[name], **COMMON), 64)
    else:
        model = build(params.FlowModelSpec(kind="flow", flow=FLOWS[name], **COMMON), 64)
    noise = torch.Generator().manual_seed(0)
    model.initialise(images(32), model.noise(32, noise))
    optimiser = torch.optim.Adam(model.parameters(), 3e-4)
    losses = []
    for _ in range(12):
        loss = bits_per_dim(model(images(8), model.noise(8, noise)).mean(), model.dims)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1
    model.eval()
    with torch.no_grad():
        z, _, v = model.posterior(images(8), model.noise(8, noise))
        torch.testing.assert_close(model.invert(z), v, rtol=0, atol=1e-4)
