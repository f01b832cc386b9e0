"""Claim (d) on a trained model: equation (6) with a Gaussian F_x is a VAE's loss, and with F(σu + x) that of a flow."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fvae import layout
from fvae.data.dataset import load, random_images
from fvae.data.pixels import dequantise
from fvae.evaluation.trained import load_trained
from fvae.models.base import Model
from fvae.models.vae import VAE
from fvae.objective import objective
from fvae.params import Experiment
from fvae.seeding import torch_generator

IMAGES = 32  # test images on which the two losses are compared


NEITHER = "it is neither a VAE nor a flow, the special cases of equation (6)"


def measure(experiment_name: str, experiment: Experiment, run: layout.Run) -> dict[str, Any]:
    """`special_case` of a run's model; of a model of another kind null, with the reason."""
    if experiment.models[run.model].kind not in ("vae", "flow"):
        return {"difference": None, "nats": None, "reason": NEITHER}
    test = load(layout.data(experiment_name)).split("test")
    return special_case(load_trained(experiment, run), random_images(test, IMAGES, "evaluate/test"), int(run.seed))


@torch.no_grad()
def special_case(model: Model, images: np.ndarray, seed: int) -> dict[str, float | int | str]:
    """The largest difference in nats per image, in float64, between (6) and the loss that it should be.

    For a VAE that is the reconstruction term plus the closed-form KL (11, 12). Apart from the reconstruction both sides
    are quadratic in u, so that the mean over u = ±1 is their exact expectation. For a flow it is the negative
    log-likelihood of F at σu + x (15).
    """
    model = copy.deepcopy(model).cpu().double().eval()
    generator = torch_generator(seed, "special_case")
    x = dequantise(torch.from_numpy(np.array(images)), generator, model.bits).double()
    if isinstance(model, VAE):
        ours, theirs = gaussian_case(model, x)
        name = "reconstruction + KL"
    else:
        u = model.noise(len(x), generator).double()
        ours, theirs = objective(model, x, u), model.nll(model.posterior(x, u).v)
        name = "the flow's NLL"
    return {"is": name, "difference": float((ours - theirs).abs().max()), "nats": float(ours.mean()), "images": len(x)}


def gaussian_case(model: VAE, x: Tensor) -> tuple[Tensor, Tensor]:
    """Equation (6) and reconstruction + KL in nats per image: (N, C, H, W) → (N,) each."""
    mu = model.encoder(x)
    deviation = model.posterior(x, torch.ones_like(mu)).v - mu
    kl = (0.5 * (mu.square() + deviation.square() - 1) - deviation.log()).flatten(1).sum(1)
    sides = [torch.ones_like(mu), -torch.ones_like(mu)]
    reconstruction = sum(-model.log_likelihood(x, deviation * u + mu) for u in sides) / 2
    return sum(objective(model, x, u) for u in sides) / 2, reconstruction + kl  # type: ignore[return-value]
