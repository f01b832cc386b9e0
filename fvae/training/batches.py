"""Batches made on the device: what a step sees depends on the seed and the step's number alone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from fvae.data.pixels import dequantise
from fvae.errors import UserError
from fvae.models.base import Model
from fvae.seeding import numpy_generator, torch_generator

RESIDENT_SHARE = 0.5  # of a device's free memory that the images may take


class Batches:
    """Dequantised images x and their noise u for step 0, 1, …; every epoch is a new order of all images."""

    def __init__(
        self, images: np.ndarray, model: Model, *, batch: int, flip: bool, seed: int, device: torch.device
    ) -> None:
        if batch > len(images):
            raise UserError(f"training.batch_size: {batch} is more than the {len(images)} training images")
        self.model, self.batch, self.flip, self.seed, self.device = model, batch, flip, seed, device
        self.pixels = Resident(images, device) if fits(images, device) else Streamed(images, device)
        self.images = len(images)
        self.epoch = -1

    def __len__(self) -> int:
        """Steps in an epoch; the last images of an order that fill no batch are left out."""
        return self.images // self.batch

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """x in [-1, 1], (batch, C, H, W), and u, (batch, *noise_shape)."""
        epoch, position = divmod(step, len(self))
        if epoch != self.epoch:
            order = numpy_generator(self.seed, "train/order", epoch).permutation(self.images)
            self.epoch = epoch
            self.pixels.order(order[: len(self) * self.batch].reshape(len(self), self.batch))
        generator = torch_generator(self.seed, "train/noise", step, device=self.device)
        return self._dequantised(self.pixels[position], generator)

    def first(self, images: int) -> tuple[Tensor, Tensor]:
        """x and u for the data-dependent start: so many images, or all where there are fewer."""
        self.epoch = -1
        self.pixels.order(numpy_generator(self.seed, "train/start").permutation(self.images)[None, :images])
        return self._dequantised(self.pixels[0], torch_generator(self.seed, "train/start", device=self.device))

    def fixed(self, images: int) -> Iterator[tuple[Tensor, Tensor]]:
        """x and u of about so many images, always the same, in whole batches: one at least."""
        few = min(images, self.images) // self.batch * self.batch
        return zip(*(part.split(self.batch) for part in self.first(max(self.batch, few))), strict=True)

    def _dequantised(self, pixels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = dequantise(pixels, generator, self.model.bits)
        if self.flip:
            mirrored = torch.rand(len(x), 1, 1, 1, generator=generator, device=self.device) < 0.5
            x = torch.where(mirrored, x.flip(3), x)
        return x, self.model.noise(len(x), generator)


class Resident:
    """The images as uint8 on the device; rows of an order are taken there."""

    def __init__(self, images: np.ndarray, device: torch.device) -> None:
        self.images = torch.from_numpy(np.array(images)).to(device)

    def order(self, rows: np.ndarray) -> None:
        """Batches as rows of indices: (batches, images)."""
        self.rows = torch.from_numpy(rows).to(self.images.device)

    def __getitem__(self, row: int) -> Tensor:
        """A batch, uint8, (N, C, H, W)."""
        return self.images[self.rows[row]]


class Streamed:
    """The images memory-mapped; while a batch is used, a thread reads the next and sends it to the device."""

    def __init__(self, images: np.ndarray, device: torch.device) -> None:
        self.images, self.device = images, device
        self.thread = ThreadPoolExecutor(1)
        self.next: dict[int, Future[Tensor]] = {}

    def order(self, rows: np.ndarray) -> None:
        """Batches as rows of indices: (batches, images)."""
        self.rows = rows
        self.next.clear()

    def __getitem__(self, row: int) -> Tensor:
        """A batch, uint8, (N, C, H, W)."""
        batch = self.next.pop(row, None) or self.thread.submit(self._read, row)
        if row + 1 < len(self.rows):
            self.next[row + 1] = self.thread.submit(self._read, row + 1)
        return batch.result()

    def _read(self, row: int) -> Tensor:
        pixels = torch.from_numpy(self.images[self.rows[row]])
        return pixels.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else pixels


def fits(images: np.ndarray, device: torch.device) -> bool:
    """Whether all images may lie on the device; on a CPU they may stay where they are, memory-mapped."""
    return device.type == "cuda" and images.nbytes < RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]
