"""A second f-VAE: equation (18) in NumPy and SciPy, written from the equations; the same loss, the same gradients.

It takes from the model its weights alone, by their names.
"""

import numpy as np
import pytest
import torch
from family import SPECS, noise, perturbed
from scipy.signal import correlate

from fvae import params
from fvae.models.build import build

FLOOR = 1e-3
ENCODER = {"levels": 1, "steps": 1, "expansion": 0.5, "latent": "full"}
FLOW = {"levels": 2, "steps": 1, "width": 3, "actnorm": True}


def conv(x, weight, bias):
    """'Same' cross-correlation: (C, H, W), (C', C, k, k) → (C', H, W)."""
    k = weight.shape[-1] // 2
    padded = np.pad(x, ((0, 0), (k, k), (k, k)))
    return np.stack([correlate(padded, kernel, mode="valid")[0] + b for kernel, b in zip(weight, bias, strict=True)])


def squeeze(x):
    """(C, H, W) → (4C, H/2, W/2): the four pixels of each 2×2 block, channel by channel."""
    return np.stack([channel[i::2, j::2] for channel in x for i in (0, 1) for j in (0, 1)])


def unsqueeze(x):
    """The inverse of squeeze."""
    y = np.zeros((len(x) // 4, 2 * x.shape[1], 2 * x.shape[2]))
    for c in range(len(y)):
        for i in (0, 1):
            for j in (0, 1):
                y[c, i::2, j::2] = x[4 * c + 2 * i + j]
    return y


class Reference:
    """The loss of a batch, from a dictionary of weights."""

    def __init__(self, weights, coupling, mixing, bounded):
        self.w, self.coupling, self.mixing, self.bounded = weights, coupling, mixing, bounded

    def affine_conv(self, name, x):
        return conv(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def residual(self, name, batch):
        """x + Conv1×1(ReLU(BatchNorm(Conv3×3(x)))), with the statistics of the batch."""
        hidden = np.stack([self.affine_conv(f"{name}.0", x) for x in batch])
        mean = hidden.mean((0, 2, 3), keepdims=True)
        variance = hidden.var((0, 2, 3), keepdims=True)
        scale, shift = (self.w[f"{name}.1.{part}"][:, None, None] for part in ("weight", "bias"))
        hidden = np.maximum(scale * (hidden - mean) / np.sqrt(variance + 1e-3) + shift, 0)
        return batch + np.stack([self.affine_conv(f"{name}.3", h) for h in hidden])

    def sigma(self, name):
        theta = self.w[f"{name}.theta"]
        return FLOOR * (1 + np.exp(theta)) if self.bounded else np.exp(theta)

    def step(self, name, x):
        """Actnorm, mixing, coupling: y and log|det|."""
        pixels = x.shape[1] * x.shape[2]
        log_scale = self.w[f"{name}.0.log_scale"]
        x, logdet = np.exp(log_scale) * x + self.w[f"{name}.0.shift"], pixels * log_scale.sum()
        if self.mixing == "conv1x1":
            matrix = self.w[f"{name}.1.lu"]
            lower = np.tril(matrix, -1) + np.eye(len(matrix))
            upper = np.triu(matrix, 1) + np.diag(self.w[f"{name}.1.sign"] * np.exp(np.diag(matrix)))
            whole = self.w[f"{name}.1.permutation"] @ lower @ upper
            x, logdet = np.einsum("ij,jhw->ihw", whole, x), logdet + pixels * np.log(abs(np.linalg.det(whole)))
            name = f"{name}.2"
        else:
            name = f"{name}.1"
            x = x[self.w[f"{name}.order"].astype(int)]
        half = len(x) // 2
        x1, x2 = x[:half], x[half:]
        h = np.maximum(self.affine_conv(f"{name}.network.0", x1), 0)
        h = np.maximum(self.affine_conv(f"{name}.network.2", h), 0)
        h = self.affine_conv(f"{name}.network.4", h)
        if self.coupling == "additive":
            return np.concatenate([x1, x2 + h]), logdet
        log_s = 2 * np.tanh(h[: len(x2)] / 2)
        return np.concatenate([x1, x2 * np.exp(log_s) + h[len(x2) :]]), logdet + log_s.sum()

    def flow(self, v):
        """F(v) and log|det ∂F/∂v|."""
        parts, total = [], 0.0
        for level in range(FLOW["levels"]):
            v = squeeze(v) if level else v
            v, logdet = self.step(f"flow.levels.{level}.layers.0.layers", v)
            total += logdet
            if level < FLOW["levels"] - 1:
                half = len(v) // 2
                v, leaving = v[:half], v[half:]
                log_s, t = np.split(self.affine_conv(f"flow.splits.{level}.network", v), 2)
                log_s = 4 * np.tanh(log_s / 4) if self.bounded else log_s
                parts.append(np.exp(log_s) * leaving + t)
                total += log_s.sum()
        log_scale = self.w["flow.last.log_scale"]
        total += v.shape[1] * v.shape[2] * log_scale.sum()
        parts.append(np.exp(log_scale) * v + self.w["flow.last.shift"])
        return np.concatenate([part.ravel() for part in parts]), total

    def loss(self, x, u):
        """Equation (18) with its constants, the mean over the batch, in nats."""
        sigma1, sigma2 = self.sigma("sigma1"), self.sigma("sigma2")
        e = self.residual("encoder.levels.0.0.network", np.stack([squeeze(image) for image in x]))
        v = e + sigma1 * u
        g = np.stack([np.tanh(unsqueeze(h)) for h in self.residual("decoder.levels.0.0.network", v)])
        losses = []
        for image, mean, latent, eps in zip(x, g, v, u, strict=True):
            z, logdet = self.flow(latent)
            losses.append(
                ((mean - image) ** 2).sum() / (2 * sigma2**2)
                + image.size / 2 * np.log(2 * np.pi * sigma2**2)
                + (z**2).sum() / 2
                - (eps**2).sum() / 2
                - z.size * np.log(sigma1)
                - logdet
            )
        return np.mean(losses)


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize(("coupling", "mixing"), [("affine", "conv1x1"), ("additive", "shuffle")])
def test_the_same_loss_and_the_same_gradients(coupling, mixing, bounded):
    """Where it is not bounded, σ₁, σ₂ and the log-scales of the splits are those of the authors' code."""
    own = {} if bounded else {"split_bound": None}
    flow = params.FlowSpec(**FLOW, coupling=coupling, mixing=mixing, **own)
    spec = SPECS["fvae"] if bounded else SPECS["fvae"].model_copy(update={"sigma_floor": 0.0})
    spec = spec.model_copy(update={"encoder": params.ResidualEncoder(**ENCODER), "flow": flow})
    model = perturbed(build(spec, 4), scale=0.15).train()
    x, u = torch.rand(3, 3, 4, 4, dtype=torch.float64) * 2 - 1, noise(model, 3)
    loss = model(x, u).mean()
    loss.backward()
    weights = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    reference = Reference(weights, coupling, mixing, bounded)
    arrays = x.numpy(), u.numpy()
    assert reference.loss(*arrays) == pytest.approx(loss.item(), rel=1e-12)

    chosen, gradients, differences = np.random.default_rng(0), [], []
    for name, parameter in model.named_parameters():
        flat = weights[name].reshape(-1)
        for i in chosen.choice(flat.size, min(4, flat.size), replace=False):
            value, around = flat[i], []
            for moved in (value + 1e-6, value - 1e-6):
                flat[i] = moved
                around.append(reference.loss(*arrays))
            flat[i] = value
            gradients.append(parameter.grad.reshape(-1)[i].item())
            differences.append((around[0] - around[1]) / 2e-6)
    assert len(gradients) > 60
    assert np.abs(gradients).max() > 1
    np.testing.assert_allclose(differences, gradients, rtol=1e-5, atol=1e-5)
