"""Recovery: a training continues after it was interrupted, and goes back where its loss diverged."""

from __future__ import annotations

import math
import signal
import sys
import time
from pathlib import Path

from fvae.errors import UserError
from fvae.training.record import Record
from fvae.training.states import States
from fvae.training.trainer import Trainer

SAVE_SECONDS = 60.0  # between two saves of the newest state
DIVERGED_ABOVE = 5.0  # bits/dim above the lowest logged loss, from which on a training has diverged
MAX_RESTARTS = 3  # how many times a training goes back, each time with a smaller learning rate


class Recovery:
    """Saves the state of a trainer and of its record in `folder`, and restores it.

    All processes restore a state and one of them saves it, so that each process has to call each of these methods.
    """

    def __init__(self, folder: Path, fingerprint: str, trainer: Trainer, record: Record, divergence: str) -> None:
        self.folder, self.trainer, self.record = folder, trainer, record
        self.states = States(folder, fingerprint)
        self.ignores = divergence == "ignore"
        self.saved_at = time.monotonic()

    def resume(self, *, across_versions: bool = False) -> bool:
        """Continue from the newest state; False where there is none of this training.

        A state that other code or another version of a library made is continued only `across_versions`; otherwise it
        is set aside. Whatever is not as it should be is one line on standard error.
        """
        found = self.states.find(across_versions=across_versions)
        self.trainer.fabric.barrier()
        if found.remark and self.trainer.fabric.is_global_zero:
            kept = ""
            if found.other_versions:
                folder = self.states.set_aside()
                kept = (
                    f"; to continue the old one, move the files of {folder.name} back and use --resume-across-versions"
                )
            print(f"fvae: {self.folder}: {found.remark}{kept}", file=sys.stderr)
        if found.state:
            self._restore(found.state)
        return found.state is not None

    def save(self, *, validated: bool = False) -> None:
        """Save the newest state, and as the validated one where it is `validated`."""
        if self.trainer.fabric.is_global_zero:
            state = {"trainer": self.trainer.state_dict(), "record": self.record.state_dict()}
            self.states.save(state, validated=validated)
        self.trainer.fabric.barrier()
        self.saved_at = time.monotonic()

    def save_is_due(self) -> bool:
        """Whether the last save is more than SAVE_SECONDS ago, by the clock of any process."""
        return self.trainer.any_process(time.monotonic() - self.saved_at > SAVE_SECONDS)

    def has_diverged(self, bpd: float) -> bool:
        """Whether a loss in bits/dim exploded, or it or a weight is not finite, in any process; False if ignored."""
        if self.ignores:
            return False
        near = math.isfinite(bpd) and bpd <= self.record.lowest_bpd + DIVERGED_ABOVE
        return self.trainer.any_process(not (near and self.trainer.has_finite_weights()))

    def is_not_finite(self, bpd: float) -> bool:
        """Whether held-out bits/dim are not finite in any process; False if that is ignored."""
        return not self.ignores and self.trainer.any_process(not math.isfinite(bpd))

    def go_back(self) -> None:
        """Restore the validated state, for a smaller learning rate. Raises UserError after MAX_RESTARTS times."""
        step, restarts, state = self.record.step, self.record.restarts + 1, self.states.load_validated()
        if restarts > MAX_RESTARTS or state is None:
            raise UserError(f"{self.folder}: the loss diverged at step {step}; lower the model's learning_rate")
        spent = {"restarts": restarts, "seconds": self.record.seconds, "devices": self.record.devices}
        self._restore(state)
        self.record.load_state_dict(spent)  # going back does not undo what the lost steps cost
        self.save()

    def stop(self, number: int) -> None:
        """Save the newest state and raise a UserError that names the signal; a diverged state is not saved."""
        between_logs = self.record.since_log.count > 0
        if not (between_logs and self.has_diverged(self.trainer.mean_bits_per_dim(self.record.since_log()))):
            self.save()
        name = signal.Signals(number).name
        raise UserError(f"{self.folder}: {name} after step {self.record.step}; run it again to continue")

    def finish(self) -> None:
        """Delete the states, which a finished training no longer needs."""
        self.states.remove()

    def _restore(self, state: dict[str, dict[str, object]]) -> None:
        self.trainer.load_state_dict(state["trainer"])
        self.record.load_state_dict(state["record"])
        self.record.add_versions()
        self.record.add_device(self.trainer.device)
