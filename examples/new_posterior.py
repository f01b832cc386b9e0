"""A new posterior F_x(u) put into equation (6): Householder reflections (Tomczak & Welling 2016), beside a plain VAE.

PYTHONPATH=. python examples/new_posterior.py
"""

import argparse

import torch

from fvae.data.pixels import dequantise
from fvae.data.portraits import draw
from fvae.models.vae import VAE
from fvae.objective import Posterior, bits_per_dim, objective


class HouseholderVAE(VAE):
    """F_x(u) = H₂(x) H₁(x) (σ(x) ⊗ u + μ(x)) with H(x) = I − 2 v vᵀ / |v|² and v = v(x).

    A reflection has |det| = 1, so that log|det ∂F_x/∂u| stays Σ log σ(x); the covariance of z is no longer diagonal.
    """

    def __init__(self, shape, **sections):
        super().__init__(shape, **sections)
        self.vectors = torch.nn.ModuleList(self.encoder.head() for _ in range(2))  # they start at zero

    def posterior_of(self, features, u):
        f, logdet = self.gaussian(features, u)
        z = f.flatten(1)
        for head in self.vectors:
            v = 1 + head(features).flatten(1)
            z = z - 2 * v * (v * z).sum(1, keepdim=True) / v.square().sum(1, keepdim=True)
        return Posterior(z, logdet, self.invert(z))  # z, (N, d); log|det|, (N,); what G decodes


arguments = argparse.ArgumentParser()
for name, value in (("--size", 32), ("--images", 2000), ("--steps", 300)):
    arguments.add_argument(name, type=int, default=value)
chosen = arguments.parse_args()

images = torch.from_numpy(draw(range(chosen.images), chosen.size, seed=0))
encoder = {"networks": "conv", "channels": [32, 64], "blocks": 1, "expansion": 0.5, "latent": {"dense": 32}}
for kind in (VAE, HouseholderVAE):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = kind((3, chosen.size, chosen.size), encoder=encoder)
    adam = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(chosen.steps):
        x = dequantise(images[torch.randint(len(images), (32,))], generator)
        u = model.noise(32, generator)
        if step == 0:
            model.initialise(x, u)
        loss = bits_per_dim(objective(model, x, u), model.dims).mean()  # equation (6)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        adam.step()
    print(f"{kind.__name__}: ≤ {loss:.3f} bits/dim in the last batch")
