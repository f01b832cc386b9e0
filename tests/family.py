"""Every model of the family at a size at which a Jacobian can be written down."""

import torch

from fvae import params
from fvae.models.build import build

FLOW = {"levels": 2, "steps": 2, "width": 6, "coupling": "affine", "mixing": "conv1x1", "actnorm": True}
ENCODER = {"levels": 1, "steps": 2, "expansion": 1.5, "latent": "full"}
CONV = {"networks": "conv", "channels": [8, 16], "blocks": 1, "expansion": 0.5, "latent": 3}
AUTOREGRESSIVE = {"kind": "autoregressive", "steps": 3, "width": 20}
COMMON = {"learning_rate": 1e-3, "init": "data"}
REDUCED = ENCODER | {"latent": 4}
NICE = FLOW | {"levels": 1, "coupling": "additive", "mixing": "swap", "actnorm": False}
SPECS = {
    "vae": params.VAESpec(kind="vae", encoder=ENCODER, **COMMON),
    "vae_reduced": params.VAESpec(kind="vae", encoder=REDUCED, **COMMON),
    "vae_dense": params.VAESpec(kind="vae", encoder=CONV | {"latent": {"dense": 6}}, **COMMON),
    "nice": params.FlowModelSpec(kind="flow", flow=NICE, **COMMON),
    "realnvp": params.FlowModelSpec(kind="flow", flow=FLOW | {"mixing": "checkerboard"}, **COMMON),
    "glow": params.FlowModelSpec(kind="flow", flow=FLOW, **COMMON),
    "mixture": params.MixtureSpec(kind="mixture", encoder=ENCODER, flow=FLOW, **COMMON),
    "planar": params.PlanarSpec(kind="planar", encoder=CONV, flow={"steps": 3}, **COMMON),
    "iaf": params.IAFSpec(kind="iaf", encoder=CONV, flow={"steps": 3, "width": 20}, **COMMON),
    "fvae": params.FVAESpec(kind="fvae", encoder=ENCODER, flow=FLOW, **COMMON),
    "fvae_reduced": params.FVAESpec(kind="fvae", encoder=REDUCED, flow=FLOW, **COMMON),
    "fvae_conv": params.FVAESpec(kind="fvae", encoder=CONV, flow=FLOW, **COMMON),
    "fvae_autoregressive": params.FVAESpec(kind="fvae", encoder=CONV, flow=AUTOREGRESSIVE, **COMMON),
}


def changed(spec, **sections):
    """A spec with some values of its sections changed, as encoder={"latent": 3}."""
    values = spec.model_dump()
    return type(spec)(**values | {name: values[name] | section for name, section in sections.items()})


def noise(model, n=32):
    """u in float64."""
    return torch.randn(n, *model.noise_shape, dtype=torch.float64)


def trained_a_little(name, size=8, steps=15):
    """A model in float64 after some steps on uniform pixels, and those pixels."""
    torch.manual_seed(0)
    model = build(SPECS[name], size).double()
    x = torch.rand(32, 3, size, size, dtype=torch.float64) * 2 - 1
    model.initialise(x, noise(model))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        loss = model(x, noise(model)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval(), x


def perturbed(model, scale=0.1):
    """A model in float64, away from its start."""
    torch.manual_seed(1)
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += scale * torch.randn_like(parameter)
    return model
