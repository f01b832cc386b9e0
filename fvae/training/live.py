"""The live log for TensorBoard: losses, measurements, and samples."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid

FOLDER = "live"
ROW, SHEET = 6, 36  # images in a row, and in a picture


class Live:
    """Event files in `folder`/live. Of an interrupted training, TensorBoard hides what was logged after `step`."""

    def __init__(self, folder: Path, step: int) -> None:
        if not step:
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
        self.writer = SummaryWriter(str(folder / FOLDER), purge_step=step + 1)

    def numbers(self, group: str, values: dict[str, float], step: int) -> None:
        """Add a point to each curve of a group."""
        for name, value in values.items():
            self.writer.add_scalar(f"{group}/{name}", value, step)

    def sheet(self, images: np.ndarray, step: int) -> None:
        """Add the first of uint8 images, (N, C, H, W), as one picture."""
        self.writer.add_image("samples", make_grid(torch.from_numpy(images[:SHEET]), nrow=ROW), step)
        self.writer.flush()

    def close(self) -> None:
        """Write what is not yet written."""
        self.writer.close()
