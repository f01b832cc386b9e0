"""One step of training: equation (6) of a batch, its gradient, Adam, and the moving average of the weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fvae.errors import UserError
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model
from fvae.objective import bits_per_dim
from fvae.params import Training

KERAS_EPS = 1e-7  # of Adam, for a loss in nats an image


class Step:
    """A model on its devices, its optimiser and its average; called with a batch it improves them.

    Fabric chooses the device, and with `devices` above 1 starts as many processes, of which each takes its
    share of every batch: gradients are averaged, and BatchNorm sees the whole batch on GPUs, the share on CPUs.
    """

    def __init__(self, model: Model, settings: Training) -> None:
        if settings.batch % settings.devices:
            raise UserError(
                f"training.batch: {settings.batch} is not a multiple of training.devices, {settings.devices}"
            )
        several = settings.devices > 1
        self.fabric = Fabric(
            accelerator="auto",
            devices=settings.devices,
            strategy="ddp" if several else "auto",
        )
        self.fabric.launch()
        self.device = self.fabric.device
        if several and self.device.type == "cpu":
            torch.set_num_threads(max(1, torch.get_num_threads() // settings.devices))
        self.clip, self.bf16 = settings.clip, settings.precision == "bf16-mixed"
        for flow in model.modules():
            if isinstance(flow, MultiScaleFlow):
                flow.reversible = settings.reversible
        if several and self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        self.layout = torch.channels_last if settings.channels_last else torch.contiguous_format
        model.train().to(self.device).to(memory_format=self.layout)  # type: ignore[call-overload]
        self.model = model
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.ema))
        eps = KERAS_EPS / (model.dims * math.log(2))  # the loss is in bits/dim
        self.adam: Any = torch.optim.Adam(model.parameters(), eps=eps, fused=True)
        whole: Any = torch.compile(model) if settings.compile else model
        self.run, self.optimiser = self.fabric.setup(whole, self.adam)

    def __call__(self, x: Tensor, u: Tensor, learning_rate: float) -> Tensor:
        """One step on images x and noise u; this process's loss in nats an image, a scalar on the device."""
        for group in self.adam.param_groups:
            group["lr"] = learning_rate
        x, u = (part.chunk(self.fabric.world_size)[self.fabric.global_rank] for part in (x, u))
        # Not Fabric's precision: it would round the images themselves, and with them the dequantisation, to bfloat16.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            loss = self.run(x.contiguous(memory_format=self.layout), u).mean()
        self.fabric.backward(bits_per_dim(loss, self.model.dims))
        self.fabric.clip_gradients(self.run, self.optimiser, max_norm=self.clip, error_if_nonfinite=False)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.average.update_parameters(self.model)
        return loss.detach()

    @property
    def alone(self) -> bool:
        """Whether this is the only process."""
        return self.fabric.world_size == 1

    @property
    def writes(self) -> bool:
        """Whether this is the process that writes files."""
        return self.fabric.is_global_zero

    def mean(self, nats: Tensor) -> float:
        """The mean over processes of a loss in nats an image, in bits/dim; waits for the device."""
        mean = self.fabric.all_reduce(nats, reduce_op="mean")
        assert isinstance(mean, Tensor)
        return float(bits_per_dim(mean, self.model.dims, self.model.bits))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; with several it waits for all."""
        if self.alone:
            return flag
        return bool(self.fabric.all_reduce(torch.tensor(float(flag), device=self.device), reduce_op="sum"))

    def initialise(self, x: Tensor, u: Tensor) -> None:
        """Set actnorms and scales from a batch, in the model and in the average."""
        self.model.initialise(x, u)
        self.average.module.load_state_dict(self.model.state_dict())

    def is_finite(self) -> bool:
        """Whether no weight is infinite or NaN; waits for the device."""
        sums = torch.stack([parameter.detach().sum() for parameter in self.model.parameters()])
        return bool(sums.isfinite().all())

    def state_dict(self) -> dict[str, Any]:
        """All that a step changes."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state_dict."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {"model": self.model, "average": self.average, "adam": self.adam}
