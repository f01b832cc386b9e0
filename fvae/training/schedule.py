"""When a training logs, validates and ends, and its learning rate at each step."""

from __future__ import annotations

from dataclasses import dataclass

from fvae.params import Training

LOG_EVERY = 20  # steps; each log waits for the device
RESTART_FACTOR = 0.5  # factor of the learning rate for each time that the loss diverged


@dataclass(frozen=True)
class Schedule:
    """The schedule of a training with a model's learning rate. Numbers of images are rounded up to whole batches."""

    settings: Training
    learning_rate: float

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self._batches(self.settings.images)

    def images(self, step: int) -> int:
        """Images in so many steps."""
        return step * self.settings.batch_size

    def validates_after(self, step: int) -> bool:
        """Whether the model is validated after so many steps."""
        return step % self._batches(self.settings.validate_every_images) == 0 or step == self.steps

    def logs_after(self, step: int) -> bool:
        """Whether the loss is logged after so many steps: after the first, whose loss is that of the initial weights,
        every LOG_EVERY steps, and at each validation.
        """
        return step == 1 or step % LOG_EVERY == 0 or self.validates_after(step)

    def rate(self, step: int, restarts: int) -> float:
        """The learning rate of a step, numbered from 0, of a training that has diverged so many times."""
        return self.learning_rate * RESTART_FACTOR**restarts * self.factor(step)

    def factor(self, step: int) -> float:
        """Linear warm-up to 1, a plateau, and a linear fall to zero over the last images."""
        factor = min(1.0, (step + 1) / max(1, self.settings.warmup_steps))
        if self.settings.cooldown_images:
            factor = min(factor, (self.steps - step) / self._batches(self.settings.cooldown_images))
        return factor

    def _batches(self, images: int) -> int:
        return -(-images // self.settings.batch_size)
