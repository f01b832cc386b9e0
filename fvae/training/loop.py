"""The training loop: equation (6) minimised by Adam, the best weights chosen on held-out images."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fvae.errors import UserError
from fvae.files import sha256, write, write_json
from fvae.models.base import Model
from fvae.params import Training
from fvae.progress import progress
from fvae.provenance import software
from fvae.training import checkpoint
from fvae.training.batches import Batches
from fvae.training.interruption import Interruption
from fvae.training.live import Live
from fvae.training.machine import device_name, peak_memory
from fvae.training.record import Record
from fvae.training.step import Step

STATE_SECONDS = 60.0  # between two saves of the state
START_BATCH = 256  # images from which actnorms and scales start
LOOK_EVERY = 20  # steps between two looks at the loss, each of which waits for the device
BATCH_NORM_IMAGES = 1000  # from which the average's BatchNorms are estimated before a validation
EXPLODED = 5.0  # bits/dim above the lowest look
SLOWDOWNS, SLOWER = 3, 0.5  # how often a diverged run goes back, each time with a smaller learning rate

Validate = Callable[[Model], tuple[dict[str, float], np.ndarray]]


def train(
    model: Model,
    images: np.ndarray,
    folder: Path,
    *,
    settings: Training,
    learning_rate: float,
    init: str,
    seed: int,
    fingerprint: str,
    validate: Validate,
) -> None:
    """Train on uint8 images (N, C, H, W); leave weights.safetensors, history.csv and training.json in `folder`.

    `validate` measures a model on held-out images, and gives samples of it for the live log; the weights with its
    lowest 'bpd' are kept. States lie beside them while the training lasts: a run that was killed, or stopped by SIGTERM
    or SIGINT, goes on from the newest to the same bits, as long as its fingerprint is the same. A signal is noticed
    after the step at hand; with several processes, which agree on it, at the next look: after LOOK_EVERY steps at most.

    A run whose loss or weights are not finite at a look, or whose loss exploded, goes back to the last validation, or
    to the start, with a smaller learning rate; such a state is never saved. Raises UserError where the run was stopped,
    and where it diverges again and again.
    """
    improve = Step(model, settings)
    batches = Batches(images, model, batch=settings.batch_size, flip=settings.flip, seed=seed, device=improve.device)
    steps, cadence = settings.epochs * len(batches), settings.validate_every_epochs * len(batches)
    states, record = checkpoint.States(folder, fingerprint), Record(improve.device)

    def save(*, validated: bool = False) -> None:
        if improve.writes:
            states.save({"model": improve.state_dict(), "record": record.state_dict()}, validated=validated)
        improve.fabric.barrier()

    def go_on(state: dict[str, Any]) -> None:
        improve.load_state_dict(state["model"])
        record.load_state_dict(state["record"])

    def is_sound(bits: float) -> bool:
        here = math.isfinite(bits) and bits <= record.lowest + EXPLODED and improve.is_finite()
        return not improve.any(not here)

    state = states.load()
    improve.fabric.barrier()
    if state:
        go_on(state)
    else:
        if init == "data":
            improve.initialise(*batches.first(START_BATCH))
        save(validated=True)

    live = Live(folder, record.step) if improve.writes else None
    bar = progress(
        total=steps,
        initial=record.step,
        desc=f"training {folder}",
        unit=" images",
        unit_scale=settings.batch_size,
        disable=not improve.writes,
    )
    saved = clock = time.monotonic()
    with Interruption() as interruption:
        while record.step < steps:
            rate = learning_rate * SLOWER**record.slowdowns * schedule(record.step, settings, len(batches))
            record.add(improve(*batches(record.step), rate))
            bar.update()
            at_validation = record.step % cadence == 0 or record.step == steps

            # The loss of the first step is that of the start, which an explosion is measured by.
            if looked := at_validation or record.step % LOOK_EVERY == 0 or record.step == 1:
                record.look(recent := improve.mean(record.since_look()))
                record.seconds, clock = record.seconds + time.monotonic() - clock, time.monotonic()
                sound = is_sound(recent)
                if sound and at_validation:
                    measured, samples = validate(improve.evaluated(batches.fixed(BATCH_NORM_IMAGES)))
                    sound = not improve.any(not math.isfinite(measured["bpd"]))
                if not sound:
                    slowdowns, step, before = record.slowdowns + 1, record.step, states.load_validated()
                    if slowdowns > SLOWDOWNS or before is None:
                        raise UserError(f"{folder}: the loss diverged at step {step}: lower the model's learning_rate")
                    go_on(before)
                    record.slowdowns = slowdowns
                    save()
                    if live:
                        message = f"{folder}: the loss diverged at step {step}; again from step {record.step}, slower"
                        bar.write(message, file=sys.stderr)
                        live.close()
                        live = Live(folder, record.step)
                    bar.reset()
                    bar.update(record.step)
                    saved = clock = time.monotonic()
                    continue

                record.lowest = min(record.lowest, recent)
                mean = float(record.since_validation())
                epochs = f"epoch {record.step / len(batches):.1f}/{settings.epochs}"
                bar.set_postfix_str(f"{epochs}, {mean:.3f} bits/dim", refresh=False)
                if live:
                    live.numbers("train", {"bpd": recent, "learning_rate": rate}, record.step)

                if at_validation:
                    counted = {"epoch": record.step // len(batches), "images": record.step * settings.batch_size}
                    costs = {"seconds": record.seconds, "slowdowns": record.slowdowns, "train_bpd": mean}
                    record.history.append({**counted, **costs, **measured})
                    record.since_validation.reset()
                    if measured["bpd"] < record.best:
                        record.best, record.best_weights = measured["bpd"], checkpoint.copied_weights(improve.average)
                    if live:
                        live.numbers("validation", measured, record.step)
                        live.sheet(samples, record.step)
                        write_history(folder, record)
                if at_validation or improve.any(clock - saved > STATE_SECONDS):
                    save(validated=at_validation)
                    saved = time.monotonic()
                clock = time.monotonic()

            if record.step < steps and (looked or improve.alone) and (number := improve.most(interruption.number)):
                record.seconds += time.monotonic() - clock
                if looked or is_sound(improve.mean(record.since_look())):  # else it goes on from the state before
                    save()
                name = signal.Signals(number).name
                raise UserError(f"{folder}: {name} after step {record.step}; run it again to go on")
    bar.close()
    if not live:
        return
    live.close()

    write_history(folder, record)
    weights = folder / "weights.safetensors"
    checkpoint.save_weights(weights, record.best_weights)
    outcome: dict[str, Any] = {"best_bpd": record.best, "steps": steps, "slowdowns": record.slowdowns}
    outcome["weights_sha256"] = sha256(weights)
    cost = {
        "seconds": record.seconds,
        "peak_memory": peak_memory(improve.device),
        "device": device_name(improve.device),
    }
    write_json(folder / "training.json", {**outcome, **cost, **software()})
    states.remove()


def write_history(folder: Path, record: Record) -> None:
    """history.csv: what every validation measured."""
    write(folder / "history.csv", partial(pd.DataFrame(record.history).to_csv, index=False))


def schedule(step: int, settings: Training, steps_per_epoch: int) -> float:
    """The learning rate's factor: a linear warm-up, a plateau, and a linear fall to zero in the last epochs."""
    factor = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    if settings.cooldown_epochs:
        left = settings.epochs * steps_per_epoch - step
        factor = min(factor, left / (settings.cooldown_epochs * steps_per_epoch))
    return factor
