"""The files that a training leaves: history.csv, weights.safetensors and training.json."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
import torch

from fvae.errors import UserError
from fvae.files import sha256, write, write_json
from fvae.provenance import software
from fvae.training.checkpoint import save_weights
from fvae.training.machine import peak_memory
from fvae.training.record import Record


def remove_results(folder: Path) -> None:
    """Delete weights, history and cost of an earlier training; samples and metrics stay until they are made again."""
    for name in ("weights.safetensors", "training.json", "history.csv"):
        (folder / name).unlink(missing_ok=True)


def write_history(folder: Path, record: Record) -> None:
    """Write history.csv: one row per validation."""
    write(folder / "history.csv", partial(pd.DataFrame(record.history).to_csv, index=False))


def write_results(folder: Path, record: Record, device: torch.device) -> None:
    """Write the history, the weights that are kept, and what the training cost.

    Raises UserError where there are no weights to keep.
    """
    write_history(folder, record)
    if not record.best_weights:
        raise UserError(
            f"{folder}: the loss was finite at no validation; lower the model's learning_rate, or say "
            "training.divergence: restart"
        )
    weights = folder / "weights.safetensors"
    save_weights(weights, record.best_weights)
    cost = {
        "best_bpd": record.best_bpd,
        "steps": record.step,
        "restarts": record.restarts,
        "trained_with": record.trained_with,
        "weights_sha256": sha256(weights),
        "seconds": record.seconds,
        "peak_memory": peak_memory(device),
        "device": "; ".join(record.devices),
    }
    write_json(folder / "training.json", {**cost, **software()})
