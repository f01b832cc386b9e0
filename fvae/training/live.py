"""A live log for TensorBoard: the loss as it falls, and samples as they become faces."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid

FOLDER = "live"
ROW, SHEET = 6, 36  # images of a sheet


class Live:
    """Event files in `folder`/live; of an interrupted run's, what it had logged after `step` is hidden."""

    def __init__(self, folder: Path, step: int) -> None:
        if not step:
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
        self.writer = SummaryWriter(str(folder / FOLDER), purge_step=step + 1)

    def numbers(self, group: str, values: dict[str, float], step: int) -> None:
        """A point of each curve."""
        for name, value in values.items():
            self.writer.add_scalar(f"{group}/{name}", value, step)

    def sheet(self, images: np.ndarray, step: int) -> None:
        """The first of uint8 images (N, C, H, W) as one picture."""
        self.writer.add_image("samples", make_grid(torch.from_numpy(images[:SHEET]), nrow=ROW), step)
        self.writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()
