"""Where a training stands, beside its weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


class Mean:
    """A mean of scalars that stays on the device until it is read."""

    def __init__(self, device: torch.device | str) -> None:
        self.total = torch.zeros((), dtype=torch.float64, device=device)
        self.count = 0

    def add(self, value: Tensor | float, count: int = 1) -> None:
        """One more scalar, or so many of that mean."""
        self.total += value * count
        self.count += count

    def __call__(self) -> Tensor:
        """The mean so far."""
        return self.total / self.count

    def reset(self) -> None:
        """Begin again."""
        self.total.zero_()
        self.count = 0


class Record:
    """Steps, seconds, what the losses were, and the best weights."""

    def __init__(self, device: torch.device) -> None:
        self.step = 0
        self.seconds = 0.0
        self.best = math.inf  # bits/dim of held-out images
        self.best_weights: dict[str, Tensor] = {}
        self.lowest = math.inf  # bits/dim of training images, of all looks
        self.slowdowns = 0
        self.history: list[dict[str, float]] = []
        self.since_look = Mean(device)  # nats an image, of this process's share
        self.since_validation = Mean("cpu")  # bits/dim of all looks, the same in every process

    def add(self, loss: Tensor) -> None:
        """One more step of that loss."""
        self.step += 1
        self.since_look.add(loss)

    def look(self, bits: float) -> None:
        """The mean of the steps since the last look, over all processes."""
        self.since_validation.add(bits, self.since_look.count)
        self.since_look.reset()

    def state_dict(self) -> dict[str, Any]:
        """All of it."""
        return {name: dict(vars(value)) if isinstance(value, Mean) else value for name, value in vars(self).items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state_dict."""
        for name, value in state.items():
            if isinstance(mean := getattr(self, name), Mean):
                mean.count = value["count"]
                mean.total.copy_(value["total"])
            else:
                setattr(self, name, value)
