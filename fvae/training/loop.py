"""The training loop: equation (6) minimised by Adam, the best weights chosen on held-out images."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fvae.errors import UserError
from fvae.files import write, write_json
from fvae.models.base import Model
from fvae.objective import bits_per_dim
from fvae.params import Training
from fvae.progress import progress
from fvae.training import checkpoint
from fvae.training.batches import Batches
from fvae.training.machine import device_name, peak_memory
from fvae.training.step import Step

STATE_SECONDS = 60.0  # between two saves of the state
START_BATCH = 256  # images from which actnorms and scales start
LOOK_EVERY = 20  # steps between two looks at the loss, each of which waits for the device

Validate = Callable[[Model], dict[str, float]]


def train(
    model: Model,
    images: np.ndarray,
    folder: Path,
    *,
    settings: Training,
    learning_rate: float,
    start: str,
    seed: int,
    fingerprint: str,
    validate: Validate,
) -> None:
    """Train on uint8 images (N, C, H, W); leave weights.safetensors, history.csv and training.json in `folder`.

    `validate` measures a model on held-out images; the weights with its lowest 'bpd' are kept. A state lies beside
    them while the training lasts: a run killed and started again goes on from it, to the same bits, as long as its
    fingerprint is the same. Raises UserError where the loss is not finite.
    """
    improve = Step(model, settings)
    device = improve.device
    batches = Batches(images, model, batch=settings.batch, flip=settings.flip, seed=seed, device=device)
    steps = settings.epochs * len(batches)
    validated = settings.validate_every * len(batches)

    state_file, best_file = folder / "state.pt", folder / "best.safetensors"
    nats = torch.zeros((), dtype=torch.float64, device=device)  # of the batches since the last validation
    step, seconds, best, history = 0, 0.0, math.inf, []
    if state := checkpoint.load_state(state_file, fingerprint):
        improve.load_state_dict(state["model"])
        nats += state["nats"]
        step, seconds, best, history = (state[name] for name in ("step", "seconds", "best", "history"))
    elif start == "data":
        improve.initialise(*batches.first(START_BATCH))

    bar = progress(total=steps, initial=step, desc=f"training {folder}", unit="step")
    saved = clock = time.monotonic()
    while step < steps:
        nats += improve(*batches(step), learning_rate * schedule(step, settings, len(batches)))
        step += 1
        bar.update()

        if step % LOOK_EVERY and step % len(batches):
            continue
        bpd = float(bits_per_dim(nats / ((step - 1) % validated + 1), model.dims))
        if not math.isfinite(bpd):
            raise UserError(f"{folder}: the loss is not finite at step {step}: lower the model's learning_rate")
        bar.set_postfix_str(f"epoch {step / len(batches):.1f}/{settings.epochs}, {bpd:.3f} bits/dim", refresh=False)
        now = time.monotonic()
        seconds, clock = seconds + now - clock, now

        at_validation = step % validated == 0 or step == steps
        if at_validation:
            measured = validate(improve.average.module.eval())  # type: ignore[arg-type]
            if not math.isfinite(measured["bpd"]):
                raise UserError(f"{folder}: held-out bits/dim is not finite at step {step}: lower the learning_rate")
            epoch, seen = step // len(batches), step * settings.batch
            history.append({"epoch": epoch, "images": seen, "seconds": seconds, "train_bpd": bpd, **measured})
            write(folder / "history.csv", partial(pd.DataFrame(history).to_csv, index=False))
            if measured["bpd"] < best:
                best = measured["bpd"]
                checkpoint.save_weights(best_file, improve.average.module)
            nats.zero_()
        if at_validation or now - saved > STATE_SECONDS:
            counters = {"step": step, "seconds": seconds, "best": best, "history": history, "nats": nats}
            checkpoint.save_state(state_file, {"fingerprint": fingerprint, "model": improve.state_dict(), **counters})
            saved = time.monotonic()
        clock = time.monotonic()
    bar.close()

    cost = {"seconds": seconds, "peak_memory": peak_memory(device), "device": device_name(device)}
    write_json(folder / "training.json", {"best_bpd": best, "steps": steps, **cost})
    write(folder / "weights.safetensors", partial(shutil.copyfile, best_file))
    state_file.unlink()
    best_file.unlink()


def schedule(step: int, settings: Training, steps_per_epoch: int) -> float:
    """The learning rate's factor: a linear warm-up, a plateau, and a linear fall to zero in the last epochs."""
    factor = min(1.0, (step + 1) / max(1, settings.warmup))
    if settings.cooldown:
        left = settings.epochs * steps_per_epoch - step
        factor = min(factor, left / (settings.cooldown * steps_per_epoch))
    return factor
