"""Batches made on the device: what a step sees depends on the seed and the step's number alone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from fvae.data.pixels import dequantise
from fvae.errors import UserError
from fvae.models.base import Model
from fvae.seeding import numpy_generator, torch_generator


class Batches:
    """Dequantised images x and their noise u for step 0, 1, …; every epoch is a new order of all images."""

    def __init__(
        self, images: np.ndarray, model: Model, *, batch: int, flip: bool, seed: int, device: torch.device
    ) -> None:
        if batch > len(images):
            raise UserError(f"training.batch: {batch} is more than the {len(images)} training images")
        self.pixels = torch.from_numpy(np.array(images)).to(device)
        self.model, self.batch, self.flip, self.seed, self.device = model, batch, flip, seed, device
        self.epoch = -1

    def __len__(self) -> int:
        """Steps in an epoch; the last images of an order that fill no batch are left out."""
        return len(self.pixels) // self.batch

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """x in [-1, 1], (batch, C, H, W), and u, (batch, *noise_shape)."""
        epoch, position = divmod(step, len(self))
        if epoch != self.epoch:
            order = numpy_generator(self.seed, "train/order", epoch).permutation(len(self.pixels))
            self.epoch, self.order = epoch, torch.from_numpy(order).to(self.device)
        chosen = self.order[position * self.batch : (position + 1) * self.batch]
        return self._dequantised(chosen, torch_generator(self.seed, "train/noise", step, device=self.device))

    def first(self, images: int) -> tuple[Tensor, Tensor]:
        """x and u for the data-dependent start: so many images, or all where there are fewer."""
        generator = torch_generator(self.seed, "train/start", device=self.device)
        chosen = torch.randperm(len(self.pixels), generator=generator, device=self.device)[:images]
        return self._dequantised(chosen, generator)

    def _dequantised(self, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = dequantise(self.pixels[chosen], generator)
        if self.flip:
            mirrored = torch.rand(len(x), 1, 1, 1, generator=generator, device=self.device) < 0.5
            x = torch.where(mirrored, x.flip(3), x)
        x = x.contiguous(memory_format=torch.channels_last)
        return x, self.model.noise(len(x), generator)
