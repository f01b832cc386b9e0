"""What the couplings gain by gathering each half of the channels directly, beside indexing all channels first.

    python benchmarks/coupling.py

times the loss and the gradients of the f-VAE of `celeba64` both ways, in turn, on uniform pixels; prints the ratio and
writes benchmarks/results/coupling-DEVICE.json.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch
import typer
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from fvae.flows.coupling import Coupling
from fvae.models.build import build
from fvae.params import load
from fvae.training.machine import default_device, device_name

RESULTS = Path(__file__).parent / "results"
DEVICE = default_device()


def plain_split(self: Coupling, x: Tensor) -> tuple[Tensor, Tensor]:
    """The halves of x[:, order], as autograd differentiates them by itself."""
    x = x if self.order is None else x[:, self.order]
    return x[:, : self.kept], x[:, self.kept :]


def main(batch: int = 32, rounds: int = 7) -> None:
    """Seconds of a loss and its gradients, both ways in turn, after one round to warm up."""
    torch.manual_seed(0)
    experiment = load().experiments["celeba64"]
    model = build(experiment.models["fvae"], experiment.data.size).to(DEVICE, memory_format=torch.channels_last)
    x = (2 * torch.rand(batch, *model.shape, device=DEVICE) - 1).contiguous(memory_format=torch.channels_last)
    u = torch.randn(batch, *model.noise_shape, device=DEVICE)

    def seconds() -> float:
        start = time.perf_counter()
        model(x, u).mean().backward()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    ratios, fast = [], []
    for _ in range(rounds + 1):
        fast.append(seconds())
        with patch.object(Coupling, "split", plain_split):
            ratios.append(seconds() / fast[-1])
    found = {
        "device": device_name(DEVICE),
        "torch": torch.__version__,
        "model": "celeba64 fvae, float32, channels_last",
        "batch": batch,
        "images_per_second": batch / median(fast[1:]),
        "ratio": median(ratios[1:]),
        "low": min(ratios[1:]),
        "high": max(ratios[1:]),
    }
    print(f"plain / fast: {found['ratio']:.3f} ({found['low']:.3f} to {found['high']:.3f}) on {found['device']}")
    file = RESULTS / ("coupling-" + re.sub(r"[^a-z0-9]+", "-", found["device"].lower()).strip("-") + ".json")
    file.write_text(json.dumps(found, indent=2) + "\n")
    print(file)


if __name__ == "__main__":
    typer.run(main)
