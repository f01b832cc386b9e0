"""Batches, made on the device: a batch depends only on the seed and on the number of its step."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from fvae.data.pixels import between_ends, dequantise
from fvae.errors import UserError
from fvae.models.base import Model
from fvae.seeding import numpy_generator, torch_generator

RESIDENT_SHARE = 0.5  # of a GPU's free memory that the images may take


class Batches:
    """Images x and their noise u for each step; each epoch takes all images in a new order.

    The images are dequantised, or else their levels are spread evenly from -1 to 1.
    """

    def __init__(
        self,
        images: np.ndarray,
        model: Model,
        *,
        batch_size: int,
        flip: bool,
        seed: int,
        device: torch.device,
        dequantise: bool = True,
    ) -> None:
        if batch_size > len(images):
            raise UserError(f"training.batch_size: {batch_size} is more than the {len(images)} training images")
        self.model, self.batch_size, self.flip, self.seed, self.device = model, batch_size, flip, seed, device
        self.pixels = Resident(images, device) if fits(images, device) else Streamed(images, device)
        self.dequantise = dequantise
        self.images = len(images)
        self.epoch = -1

    def __len__(self) -> int:
        """Steps in an epoch. The last images of its order are left out where they do not fill a batch."""
        return self.images // self.batch_size

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """The images x in [-1, 1], (N, C, H, W), and the noise u, (N, *noise_shape), of a step numbered from 0."""
        epoch, position = divmod(step, len(self))
        if epoch != self.epoch:
            order = numpy_generator(self.seed, "train/order", epoch).permutation(self.images)
            self.epoch = epoch
            self.pixels.order(order[: len(self) * self.batch_size].reshape(len(self), self.batch_size))
        generator = torch_generator(self.seed, "train/noise", step, device=self.device)
        return self._batch(self.pixels[position], generator)

    def first(self, images: int) -> tuple[Tensor, Tensor]:
        """x and u of so many images, or of all where there are fewer, from which a model is initialised."""
        self.epoch = -1
        self.pixels.order(numpy_generator(self.seed, "train/start").permutation(self.images)[None, :images])
        return self._batch(self.pixels[0], torch_generator(self.seed, "train/start", device=self.device))

    def fixed(self, images: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches x and u of the same images at each call: of at most so many, and one batch at least."""
        whole = min(images, self.images) // self.batch_size * self.batch_size
        x, u = self.first(max(self.batch_size, whole))
        return zip(x.split(self.batch_size), u.split(self.batch_size), strict=True)

    def _batch(self, pixels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        bits = self.model.bits
        x = dequantise(pixels, generator, bits) if self.dequantise else between_ends(pixels, bits)
        if self.flip:
            mirrored = torch.rand(len(x), 1, 1, 1, generator=generator, device=self.device) < 0.5
            x = torch.where(mirrored, x.flip(3), x)
        return x, self.model.noise(len(x), generator)


class Resident:
    """All images as uint8 on the device."""

    def __init__(self, images: np.ndarray, device: torch.device) -> None:
        self.images = torch.from_numpy(np.array(images)).to(device)

    def order(self, rows: np.ndarray) -> None:
        """Set the images of each batch, by their indices: (batches, N)."""
        self.rows = torch.from_numpy(rows).to(self.images.device)

    def __getitem__(self, row: int) -> Tensor:
        """The images of a batch, uint8, (N, C, H, W)."""
        return self.images[self.rows[row]]


class Streamed:
    """Memory-mapped images: while a batch is used, a thread reads the next one and sends it to the device."""

    def __init__(self, images: np.ndarray, device: torch.device) -> None:
        self.images, self.device = images, device
        self.thread = ThreadPoolExecutor(1)
        self.next: dict[int, Future[Tensor]] = {}

    def order(self, rows: np.ndarray) -> None:
        """Set the images of each batch, by their indices: (batches, N)."""
        self.rows = rows
        self.next.clear()

    def __getitem__(self, row: int) -> Tensor:
        """The images of a batch, uint8, (N, C, H, W)."""
        batch = self.next.pop(row, None) or self.thread.submit(self._read, row)
        if row + 1 < len(self.rows):
            self.next[row + 1] = self.thread.submit(self._read, row + 1)
        return batch.result()

    def _read(self, row: int) -> Tensor:
        pixels = torch.from_numpy(self.images[self.rows[row]])
        return pixels.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else pixels


def fits(images: np.ndarray, device: torch.device) -> bool:
    """Whether all images fit on a GPU; on a CPU they stay memory-mapped."""
    return device.type == "cuda" and images.nbytes < RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]
