"""What a training has done so far: steps, losses, validations, and the best weights."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor

from fvae.models.base import Model
from fvae.training.checkpoint import copied_weights
from fvae.training.machine import device_name
from fvae.training.versions import difference, versions

Keep = Literal["validation", "training", "last"]


class Mean:
    """A mean of scalars that stays on the device until it is read."""

    def __init__(self, device: torch.device | str) -> None:
        self.total = torch.zeros((), dtype=torch.float64, device=device)
        self.count = 0

    def add(self, value: Tensor | float, count: int = 1) -> None:
        """Add a scalar, or the mean of `count` scalars."""
        self.total += value * count
        self.count += count

    def __call__(self) -> Tensor:
        """The mean so far."""
        return self.total / self.count

    def reset(self) -> None:
        """Start a new mean."""
        self.total.zero_()
        self.count = 0


class Record:
    """What is kept of a training beside the weights of the model and the state of its optimizer."""

    def __init__(self, device: torch.device, keep: Keep = "validation") -> None:
        self.keep = keep  # which of the validated weights: those with the lowest bits/dim of these images, or the last
        self.step = 0  # steps done
        self.seconds = 0.0  # spent on training steps, those after which the loss diverged included
        self.lowest_kept = math.inf  # bits/dim of the images that choose the weights
        self.best_bpd = math.inf  # bits/dim of held-out images, of the weights that are kept
        self.best_weights: dict[str, Tensor] = {}
        self.lowest_bpd = math.inf  # bits/dim of training images: the lowest mean between two logs
        self.trained_with: list[dict[str, Any]] = []  # the code and the libraries, each with the step from which on
        self.add_versions()
        self.devices = [device_name(torch.device(device))]  # each on which a part of the training ran
        self.restarts = 0  # how many times the loss diverged
        self.history: list[dict[str, float]] = []
        self.since_log = Mean(device)  # nats per image, of this process's share of each batch
        self.since_validation = Mean("cpu")  # bits/dim, the same in every process

    def add_versions(self) -> None:
        """Note the code and the libraries that are here, where others made the steps so far."""
        if not self.trained_with or difference(self.trained_with[-1], versions()):
            self.trained_with.append({"from_step": self.step, **versions()})

    def add_device(self, device: torch.device) -> None:
        """Note the device that is here, where another one did the steps so far."""
        self.devices = list(dict.fromkeys([*self.devices, device_name(device)]))

    def add_step(self, loss: Tensor) -> None:
        """Count a step with its loss in nats per image."""
        self.step += 1
        self.since_log.add(loss)

    def add_log(self, bpd: float) -> None:
        """Note the mean bits/dim over all processes of the steps since the last log."""
        self.since_validation.add(bpd, self.since_log.count)
        self.since_log.reset()
        self.lowest_bpd = min(self.lowest_bpd, bpd)

    def add_validation(self, measured: dict[str, float], *, images: int, model: Model) -> None:
        """Add a row to the history, and keep the weights of the validated model where they are to be kept so far."""
        train_bpd = float(self.since_validation())
        self.history.append(
            {
                "images": images,
                "seconds": self.seconds,
                "restarts": self.restarts,
                "train_bpd": train_bpd,
                **measured,
            }
        )
        self.since_validation.reset()
        value = train_bpd if self.keep == "training" else measured["bpd"]
        if value < self.lowest_kept or self.keep == "last":
            self.lowest_kept = value
            self.best_bpd, self.best_weights = measured["bpd"], copied_weights(model)

    def state_dict(self) -> dict[str, Any]:
        """All values."""
        return {name: dict(vars(value)) if isinstance(value, Mean) else value for name, value in vars(self).items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state_dict."""
        for name, value in state.items():
            mean = getattr(self, name)
            if isinstance(mean, Mean):
                mean.count = value["count"]
                mean.total.copy_(value["total"])
            else:
                setattr(self, name, value)
