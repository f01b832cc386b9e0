"""When a training logs, validates and ends, and its learning rate at each step."""

from __future__ import annotations

from dataclasses import dataclass

from fvae.params import Training

LOG_EVERY = 20  # steps; each log waits for the device
SLOWDOWN = 0.5  # factor of the learning rate for each time that the loss diverged


@dataclass(frozen=True)
class Schedule:
    """The schedule of a training with a model's learning rate, and a number of steps in each epoch."""

    settings: Training
    learning_rate: float
    steps_per_epoch: int

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.settings.epochs * self.steps_per_epoch

    def epoch(self, step: int) -> int:
        """Whole epochs in so many steps."""
        return step // self.steps_per_epoch

    def images(self, step: int) -> int:
        """Images in so many steps."""
        return step * self.settings.batch_size

    def validates_after(self, step: int) -> bool:
        """Whether the model is validated after so many steps."""
        return step % (self.settings.validate_every_epochs * self.steps_per_epoch) == 0 or step == self.steps

    def logs_after(self, step: int) -> bool:
        """Whether the loss is logged after so many steps: after the first, whose loss is that of the initial weights,
        every LOG_EVERY steps, and at each validation.
        """
        return step == 1 or step % LOG_EVERY == 0 or self.validates_after(step)

    def rate(self, step: int, slowdowns: int) -> float:
        """The learning rate of a step, numbered from 0, of a training that has diverged so many times."""
        return self.learning_rate * SLOWDOWN**slowdowns * self.factor(step)

    def factor(self, step: int) -> float:
        """Linear warm-up to 1, a plateau, and a linear fall to zero in the last epochs."""
        factor = min(1.0, (step + 1) / max(1, self.settings.warmup_steps))
        if self.settings.cooldown_epochs:
            factor = min(factor, (self.steps - step) / (self.settings.cooldown_epochs * self.steps_per_epoch))
        return factor
