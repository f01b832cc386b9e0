"""One step of training: equation (6) of a batch, its gradient, Adam, and the moving average of the weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from itertools import chain
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import get_ema_multi_avg_fn

from fvae.errors import UserError
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model
from fvae.objective import bits_per_dim
from fvae.params import Training
from fvae.training.machine import default_device, exact

KERAS_EPS = 1e-7  # of Adam, for a loss in nats an image


class Step:
    """A model on its devices, its optimiser and its average; called with a batch it improves them.

    It works on the GPU where there is one, and with `devices` above 1 Fabric starts as many processes, of which each
    takes its share of every batch: gradients are averaged, and BatchNorm sees the whole batch on GPUs, the share on
    CPUs. The same steps give the same bits, see `machine.exact`, and none waits for the device.

    The average is a moving one of the weights since the start. BatchNorm's statistics of a moving average are none of
    its own: `evaluated` estimates them anew. Raises UserError where there are fewer GPUs than `devices`, or where the
    batch cannot be shared among them.
    """

    def __init__(self, model: Model, settings: Training) -> None:
        if settings.batch_size % settings.devices:
            raise UserError(
                f"training.batch_size: {settings.batch_size} is not a multiple of training.devices, {settings.devices}"
            )
        device, several = default_device().type, settings.devices > 1
        if device == "cuda" and settings.devices > (gpus := torch.cuda.device_count()):
            raise UserError(f"training.devices: {settings.devices} is more than the GPUs here, {gpus}")
        exact()
        self.fabric = Fabric(
            accelerator=device,  # not "auto", which may be Apple's, without float64
            devices=settings.devices,
            strategy="ddp" if several else "auto",
        )
        self.fabric.launch()
        self.device = self.fabric.device
        if several and self.device.type == "cpu":
            torch.set_num_threads(max(1, torch.get_num_threads() // settings.devices))
        self.clip, self.bf16 = settings.clip_norm, settings.precision == "bf16-mixed"
        for flow in model.modules():
            if isinstance(flow, MultiScaleFlow):
                flow.reversible = settings.reversible
        if several and self.device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        self.layout = torch.channels_last if settings.channels_last else torch.contiguous_format
        model.train().to(self.device).to(memory_format=self.layout)  # type: ignore[call-overload]
        self.model = model
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.batch_norms = [module for module in self.average.modules() if isinstance(module, _BatchNorm)]
        for norm in self.batch_norms:
            norm.momentum = None  # a plain mean over batches
        self.weights, self.averages = list(model.parameters()), list(self.average.parameters())
        self.move_averages: Any = get_ema_multi_avg_fn(settings.ema)
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
        self.move_averages(self.averages, self.weights, None)
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
        return float(bits_per_dim(self._reduced(nats, "mean"), self.model.dims, self.model.bits))

    def most(self, number: int) -> int:
        """The largest of all processes' numbers; with several it waits for all."""
        if self.alone:
            return number
        return int(self._reduced(torch.tensor(int(number), device=self.device), "max"))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; with several it waits for all."""
        return bool(self.most(flag))

    def _reduced(self, value: Tensor, how: str) -> Tensor:
        reduced = self.fabric.all_reduce(value, reduce_op=how)
        assert isinstance(reduced, Tensor)
        return reduced

    def initialise(self, x: Tensor, u: Tensor) -> None:
        """Set actnorms and scales from a batch, in the model and in the average."""
        self.model.initialise(x, u)
        self.average.load_state_dict(self.model.state_dict())

    @torch.no_grad()
    def evaluated(self, batches: Iterable[tuple[Tensor, Tensor]]) -> Model:
        """The average, to be evaluated: its BatchNorms have the statistics of batches x and u under its own weights."""
        for norm in self.batch_norms:
            norm.reset_running_stats()
        self.average.train()
        for x, u in batches if self.batch_norms else ():
            self.average(x.contiguous(memory_format=self.layout), u)
        return self.average.eval()

    @torch.no_grad()
    def is_finite(self) -> bool:
        """Whether no weight and no statistic is infinite or NaN; waits for the device."""
        sums = [tensor.sum().isfinite() for tensor in chain(self.model.parameters(), self.model.buffers())]
        return bool(torch.stack(sums).all())

    def state_dict(self) -> dict[str, Any]:
        """All that a step changes."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state_dict."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {"model": self.model, "average": self.average, "adam": self.adam}
