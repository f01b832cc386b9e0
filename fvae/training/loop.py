"""The training loop: Adam minimises equation (6), and held-out images choose the best of the averaged weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fvae.models.base import Model
from fvae.params import Training
from fvae.training.batches import Batches
from fvae.training.ema import BATCH_NORM_IMAGES
from fvae.training.interruption import Interruption
from fvae.training.log import TrainingLog
from fvae.training.processes import start_processes
from fvae.training.record import Record
from fvae.training.recovery import Recovery
from fvae.training.results import remove_results, write_results
from fvae.training.schedule import Schedule
from fvae.training.trainer import Trainer, build_trainer

INITIAL_BATCH = 256  # images from which actnorms and scales are initialised

Validate = Callable[[Model, int], tuple[dict[str, float], np.ndarray]]


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
    begin: Callable[[], None] = lambda: None,
    resume_across_versions: bool = False,
) -> None:
    """Train on uint8 images (N, C, H, W); leave weights.safetensors, history.csv and training.json in `folder`.

    `validate` measures a model after so many steps on held-out images and returns samples too; `settings.keep` says
    which weights are kept. `begin` is called once nothing refuses the training any more; before
    that, what an earlier training left in `folder` is deleted, unless it is continued.

    States lie beside the results while the training lasts: a training that was killed, or stopped by SIGTERM or SIGINT,
    continues from the newest state to the same bits, if its fingerprint, the code and the libraries are the same. Where
    the code or a library is another one, it starts anew unless `resume_across_versions`. A training that diverges goes
    back to its last validation and continues with a smaller learning rate.

    Raises UserError where a signal stops the training, where it diverges again and again, where it was finite at no
    validation, and where the settings do not fit the images or the devices.
    """
    fabric = start_processes(settings)
    trainer = build_trainer(fabric, model, settings)
    batches = Batches(
        images,
        model,
        batch_size=settings.batch_size,
        flip=settings.flip,
        seed=seed,
        device=fabric.device,
        dequantise=settings.dequantise,
    )
    schedule = Schedule(settings, learning_rate)
    record = Record(fabric.device, keep=settings.keep)
    recovery = Recovery(folder, fingerprint, trainer, record, settings.divergence)

    if not recovery.resume(across_versions=resume_across_versions):
        if fabric.is_global_zero:
            remove_results(folder)
        if init == "data":
            trainer.initialise(*batches.first(INITIAL_BATCH))
        recovery.save(validated=True)
    if fabric.is_global_zero:
        begin()
    with Interruption() as interruption, TrainingLog(folder, record, schedule, enabled=fabric.is_global_zero) as log:
        run_steps(trainer, batches, schedule, record, recovery, log, validate, interruption)
    if fabric.is_global_zero:
        write_results(folder, record, fabric.device)
        recovery.finish()


def run_steps(
    trainer: Trainer,
    batches: Batches,
    schedule: Schedule,
    record: Record,
    recovery: Recovery,
    log: TrainingLog,
    validate: Validate,
    interruption: Interruption,
) -> None:
    """Train from step `record.step` to the last step of the schedule."""
    started = time.monotonic()
    while record.step < schedule.steps:
        # Batch: images x and their noise u.
        x, u = batches(record.step)

        # Loss, gradient, update, and average of the weights.
        learning_rate = schedule.rate(record.step, record.restarts)
        loss = trainer.train_step(x, u, learning_rate)
        record.add_step(loss)
        log.step()

        # Log the loss. Only here, not at every step, does training wait for the device.
        step, diverged = record.step, False
        log_now = schedule.logs_after(step)
        if log_now:
            bpd = trainer.mean_bits_per_dim(record.since_log())
            record.seconds += time.monotonic() - started
            diverged = recovery.has_diverged(bpd)
            if not diverged:
                record.add_log(bpd)
                log.loss(bpd, learning_rate)

        # Evaluate the averaged weights on held-out images.
        validate_now = schedule.validates_after(step) and not diverged
        if validate_now:
            evaluated = trainer.evaluation_model(batches.fixed(BATCH_NORM_IMAGES))
            measured, samples = validate(evaluated, step)
            diverged = recovery.is_not_finite(measured["bpd"])
            if not diverged:
                record.add_validation(measured, images=schedule.images(step), model=evaluated)
                log.validation(measured, samples)

        # Save the state, or go back to that of the last validation.
        if diverged:
            recovery.go_back()
            log.divergence(step)
        elif validate_now or (log_now and recovery.save_is_due()):
            recovery.save(validated=validate_now)
        if log_now:
            started = time.monotonic()  # the seconds of a training are those of its steps

        # Stop where a signal asks for it. Several processes agree on it when they log.
        if (log_now or trainer.single_process) and record.step < schedule.steps:
            signal = trainer.max_over_processes(interruption.signal)
            if signal:
                record.seconds += time.monotonic() - started
                recovery.stop(signal)
