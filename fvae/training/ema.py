"""The exponential moving average (EMA) of a model's weights, which is what is evaluated and kept."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn, update_bn

from fvae.models.base import Model

BATCH_NORM_IMAGES = 1000  # from which the statistics of BatchNorm are estimated


class EMA:
    """A copy of a model whose weights are averaged over the steps, from the initial weights on.

    The statistics of BatchNorm are not averaged: `evaluation_model` estimates them with the averaged weights, and
    `with_buffers_of` takes those of training.
    """

    def __init__(self, model: Model, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._weights, self._averages = list(model.parameters()), list(self.model.parameters())
        self._average: Any = get_ema_multi_avg_fn(decay)

    def update(self) -> None:
        """average ← decay · average + (1 − decay) · weight."""
        self._average(self._averages, self._weights, None)

    @torch.no_grad()
    def with_buffers_of(self, model: Model) -> Model:
        """The averaged model with another one's buffers, among them the statistics of BatchNorm."""
        for mine, other in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(other)
        return self.model

    @torch.no_grad()
    def evaluation_model(self, batches: Iterable[tuple[Tensor, Tensor]]) -> Model:
        """The averaged model in evaluation mode; its BatchNorms have the mean statistics of batches x and u."""
        update_bn(([batch] for batch in batches), _OneArgument(self.model))
        return self.model.eval()


class _OneArgument(nn.Module):
    """A model that takes the pair (x, u) as one argument, as PyTorch's update_bn calls it."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Equation (6) in nats per image: (N,)."""
        loss: Tensor = self.model(*batch)
        return loss
