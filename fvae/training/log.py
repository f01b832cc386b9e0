"""What can be watched while a training runs: the progress bar, TensorBoard's live log, and history.csv."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Self

import numpy as np

from fvae.progress import progress
from fvae.training.live import Live
from fvae.training.record import Record
from fvae.training.results import write_history
from fvae.training.schedule import Schedule


class TrainingLog:
    """A context that logs a training from `record.step` on, where it is `enabled`: in one of several processes."""

    def __init__(self, folder: Path, record: Record, schedule: Schedule, *, enabled: bool) -> None:
        self.folder, self.record, self.schedule = folder, record, schedule
        self.live = Live(folder, record.step) if enabled else None
        self.bar = progress(
            total=schedule.steps,
            initial=record.step,
            desc=f"training {folder}",
            unit=" images",
            unit_scale=schedule.settings.batch_size,
            disable=not enabled,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()
        if self.live:
            self.live.close()

    def step(self) -> None:
        """Count a step in the progress bar."""
        self.bar.update()

    def loss(self, bpd: float, learning_rate: float) -> None:
        """Log the bits/dim of training images since the last log."""
        mean = float(self.record.since_validation())
        self.bar.set_postfix_str(f"{mean:.3f} bits/dim", refresh=False)
        if self.live:
            self.live.numbers("train", {"bpd": bpd, "learning_rate": learning_rate}, self.record.step)

    def validation(self, measured: dict[str, float], samples: np.ndarray) -> None:
        """Log what was measured, and uint8 samples, (N, C, H, W)."""
        if self.live:
            self.live.numbers("validation", measured, self.record.step)
            self.live.sheet(samples, self.record.step)
            write_history(self.folder, self.record)

    def divergence(self, step: int) -> None:
        """Log that the loss diverged at a step and that training went back to `record.step`."""
        if self.live:
            message = f"{self.folder}: the loss diverged at step {step}; "
            message += f"training continues from step {self.record.step} with a smaller learning rate"
            self.bar.write(message, file=sys.stderr)
            self.live.close()
            self.live = Live(self.folder, self.record.step)
        self.bar.reset()
        self.bar.update(self.record.step)
