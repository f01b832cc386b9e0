"""One step of training: equation (6) of a batch, its gradient, Adam, and the moving average of the weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fvae.models.base import Model
from fvae.objective import bits_per_dim
from fvae.params import Training

KERAS_EPS = 1e-7  # of Adam, for a loss in nats an image


class Step:
    """A model on its device, its optimiser and its average; called with a batch it improves them."""

    def __init__(self, model: Model, settings: Training) -> None:
        self.fabric = Fabric(accelerator="auto", devices=1, precision=settings.precision)
        self.device = self.fabric.device
        self.clip = settings.clip
        model.train().to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = model
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.ema))
        eps = KERAS_EPS / (model.dims * math.log(2))  # the loss is in bits/dim
        self.adam: Any = torch.optim.Adam(model.parameters(), eps=eps, fused=True)
        self.run, self.optimiser = self.fabric.setup(model, self.adam)

    def __call__(self, x: Tensor, u: Tensor, learning_rate: float) -> Tensor:
        """One step on images x and noise u; the loss in nats an image, a scalar on the device."""
        for group in self.adam.param_groups:
            group["lr"] = learning_rate
        loss = self.run(x, u).mean()
        self.fabric.backward(bits_per_dim(loss, self.model.dims))
        self.fabric.clip_gradients(self.run, self.optimiser, max_norm=self.clip, error_if_nonfinite=False)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.average.update_parameters(self.model)
        return loss.detach()

    def initialise(self, x: Tensor, u: Tensor) -> None:
        """Set actnorms and scales from a batch, in the model and in the average."""
        self.model.initialise(x, u)
        self.average.module.load_state_dict(self.model.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """All that a step changes."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state_dict."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {"model": self.model, "average": self.average, "adam": self.adam}
