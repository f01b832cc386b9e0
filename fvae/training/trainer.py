"""One training step: equation (6) of a batch, its gradient, Adam's update, and the average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from fvae.errors import UserError
from fvae.flows.multiscale import MultiScaleFlow
from fvae.models.base import Model
from fvae.objective import bits_per_dim
from fvae.params import Training
from fvae.training.ema import EMA

KERAS_EPS = 1e-7  # of Adam, for a loss in nats per image


class Trainer:
    """A model on its device with its optimizer and its averaged weights.

    Each of several processes takes its share of every batch, and gradients are averaged over the processes. The same
    steps give the same bits, and no step waits for the device.
    """

    def __init__(self, fabric: Fabric, model: Model, optimizer: torch.optim.Optimizer, ema: EMA, settings: Training):
        self.fabric, self.model, self.optimizer, self.ema = fabric, model, optimizer, ema
        self.device = fabric.device
        self.running_batch_norm = settings.batch_norm == "running"
        self.clip_norm, self.bf16 = settings.clip_norm, settings.precision == "bf16-mixed"
        self.accumulate = settings.accumulate
        self.memory_format = _memory_format(settings)
        compiled: Any = torch.compile(model) if settings.compile else model
        # What Fabric returns averages gradients over processes.
        self._objective, self._optimizer = fabric.setup(compiled, optimizer)

    def train_step(self, x: Tensor, u: Tensor, learning_rate: float) -> Tensor:
        """Update the weights from images x, (N, C, H, W), and noise u, (N, *noise_shape).

        Returns the loss of this process's share of the batch in nats per image, a scalar on the device.
        """
        # Batch: the share of this process.
        x, u = (part.chunk(self.fabric.world_size)[self.fabric.global_rank] for part in (x, u))

        # Loss, and gradient of the loss in bits/dim.
        loss = self._accumulated_gradient(x, u)
        if self.clip_norm is not None:
            self.fabric.clip_gradients(
                self._objective, self._optimizer, max_norm=self.clip_norm, error_if_nonfinite=False
            )

        # Update.
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        self._optimizer.zero_grad()

        # Average.
        self.ema.update()
        return loss

    def _accumulated_gradient(self, x: Tensor, u: Tensor) -> Tensor:
        """The mean loss of the images, whose gradient is added up over `accumulate` equal parts of them."""
        parts = [*zip(x.chunk(self.accumulate), u.chunk(self.accumulate), strict=True)]
        losses = []
        for number, part in enumerate(parts, start=1):
            with self.fabric.no_backward_sync(self._objective, enabled=number < len(parts)):
                # Not with Fabric's precision, which would round the dequantised images to bfloat16.
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                    loss: Tensor = self._objective(*map(self._formatted, part)).mean()
                self.fabric.backward(bits_per_dim(loss, self.model.dims) / len(parts))
            losses.append(loss.detach())
        return torch.stack(losses).mean()

    def initialise(self, x: Tensor, u: Tensor) -> None:
        """Set actnorms and scales from a batch, in the model and in its average."""
        self.model.initialise(x, u)
        self.ema.model.load_state_dict(self.model.state_dict())

    def evaluation_model(self, batches: Iterable[tuple[Tensor, Tensor]]) -> Model:
        """The averaged model in evaluation mode.

        Its BatchNorms have the statistics of batches x and u, or the running ones of training.
        """
        if self.running_batch_norm:
            return self.ema.with_buffers_of(self.model).eval()
        return self.ema.evaluation_model((self._formatted(x), self._formatted(u)) for x, u in batches)

    @torch.no_grad()
    def has_finite_weights(self) -> bool:
        """Whether no weight and no statistic of the model is infinite or NaN; waits for the device."""
        sums = [tensor.sum().isfinite() for tensor in chain(self.model.parameters(), self.model.buffers())]
        return bool(torch.stack(sums).all())

    @property
    def single_process(self) -> bool:
        """Whether there is no other process."""
        return self.fabric.world_size == 1

    def mean_bits_per_dim(self, nats: Tensor) -> float:
        """The mean over processes of a loss in nats per image, in bits/dim; waits for the device."""
        return float(bits_per_dim(self._reduced(nats, "mean"), self.model.dims, self.model.bits))

    def max_over_processes(self, number: int) -> int:
        """The largest of all processes' numbers; each process has to call it."""
        if self.single_process:
            return number
        return int(self._reduced(torch.tensor(int(number), device=self.device), "max"))

    def any_process(self, flag: bool) -> bool:
        """Whether the flag is set in any process; each process has to call it."""
        return bool(self.max_over_processes(flag))

    def _formatted(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=self.memory_format)

    def _reduced(self, value: Tensor, how: str) -> Tensor:
        reduced = self.fabric.all_reduce(value, reduce_op=how)
        assert isinstance(reduced, Tensor)
        return reduced

    def state_dict(self) -> dict[str, Any]:
        """All that a step changes."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state_dict."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {"model": self.model, "ema": self.ema.model, "optimizer": self.optimizer}


def build_trainer(fabric: Fabric, model: Model, settings: Training) -> Trainer:
    """Put a model on this process's device, with Adam and an average of its weights.

    With several GPUs, BatchNorm takes its statistics from all of them; with several processes on a CPU, from each
    process's share; and with `accumulate` above 1, from each part of it. Raises UserError where one image is too few.
    """
    for module in model.modules():
        if isinstance(module, MultiScaleFlow):
            module.reversible = settings.reversible
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    share = settings.batch_size // (fabric.world_size * settings.accumulate)
    if share < 2 and any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        raise UserError(
            f"training.batch_size: {settings.batch_size} leaves one image for each part, and BatchNorm needs two"
        )
    model.train().to(fabric.device).to(memory_format=_memory_format(settings))  # type: ignore[call-overload]
    eps = KERAS_EPS / (model.dims * math.log(2))  # the loss is in bits/dim
    adam = torch.optim.Adam(model.parameters(), eps=eps, fused=True)
    return Trainer(fabric, model, adam, EMA(model, settings.ema), settings)


def _memory_format(settings: Training) -> torch.memory_format:
    return torch.channels_last if settings.channels_last else torch.contiguous_format
