"""How the network was trained: from portraits that no experiment draws, in a few minutes on one thread."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fvae.data.levels import coarse
from fvae.data.portraits import draw, factors
from fvae.evaluation.factor_reader.factors import FIRST, KINDS, NUMBERS, kinds, mirrored, numbers
from fvae.evaluation.factor_reader.network import FactorReader, features, pixels_of, read
from fvae.files import sha256
from fvae.progress import progress
from fvae.seeding import numpy_generator, seed_everything
from fvae.training.checkpoint import copied_weights, save_weights

SEED = 2**32  # of the portraits: a seed of params.yaml is less than that
PORTRAITS, HELD_OUT = 30_000, 4_000
EPOCHS, BATCH = 8, 128
LEARNING_RATE, WEIGHT_DECAY = 4e-3, 1e-2
KINDS_WEIGHT = 3.0  # of a factor of kinds in the loss, beside that of a number
COARSE = 0.25  # the share of images that are shown with 5 bits
CHUNK = 1000  # portraits drawn at a time
OTHERS = 1000  # held-out portraits that are read at another size
OTHER_SIZE = 64


def train(folder: Path) -> dict[str, Any]:
    """Write weights.safetensors to a folder; return what was done and how well held-out portraits are read.

    The same bits on the same machine: one thread, and every random number from a named stream.
    """
    torch.set_num_threads(1)
    started = time.process_time()
    people = factors(np.arange(PORTRAITS), SEED)
    images, targets = drawn(np.arange(PORTRAITS)), numbers(people)
    mean, deviation = targets.mean(0), targets.std(0)
    seed_everything(0, "factor_reader/weights")
    reader = fitted(FactorReader(), images, kinds(people), targets, mean, deviation)
    save_weights(folder / "weights.safetensors", copied_weights(reader))
    seconds = time.process_time() - started

    held_out = np.arange(PORTRAITS, PORTRAITS + HELD_OUT)
    new = drawn(held_out)
    views = {
        f"{new.shape[2]}×{new.shape[2]}, 8 bits": new,
        f"{new.shape[2]}×{new.shape[2]}, 5 bits": coarse(new, 5),
        f"{OTHER_SIZE}×{OTHER_SIZE}, 8 bits": drawn(held_out[:OTHERS], OTHER_SIZE),
    }
    return {
        "weights_sha256": sha256(folder / "weights.safetensors"),
        "parameters": sum(parameter.numel() for parameter in reader.parameters()),
        "seed": SEED,
        "portraits": PORTRAITS,
        "epochs": EPOCHS,
        "processor_seconds": seconds,
        "held_out": {
            name: accuracy(reader, seen, held_out[: len(seen)], mean, deviation) for name, seen in views.items()
        },
    }


def drawn(indices: np.ndarray, size: int = 32) -> np.ndarray:
    """Portraits (N, 3, size, size) by their numbers."""
    parts = [indices[start : start + CHUNK] for start in range(0, len(indices), CHUNK)]
    return np.concatenate([draw(part, size, SEED) for part in progress(parts, desc="drawing portraits", unit="chunk")])


def fitted(
    reader: FactorReader,
    images: np.ndarray,
    classes: np.ndarray,
    targets: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
) -> FactorReader:
    """The network after EPOCHS passes by Adam, whose rate rises and falls once; half of the images are mirrored."""
    reader.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = torch.from_numpy(KINDS_WEIGHT / entropies(classes))
    steps = len(images) // BATCH * EPOCHS
    adam = torch.optim.AdamW(reader.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, LEARNING_RATE, total_steps=steps, pct_start=0.1)
    bar = progress(total=steps, desc="training the factor reader", unit="step")
    for epoch in range(EPOCHS):
        rng = numpy_generator(0, "factor_reader/order", epoch)
        for rows in rng.permutation(len(images))[: len(images) // BATCH * BATCH].reshape(-1, BATCH):
            flip, few = rng.random(BATCH) < 0.5, rng.random(BATCH) < COARSE
            seen, values = images[rows], targets[rows]
            seen[flip] = seen[flip][..., ::-1]
            seen[few] = coarse(seen[few], 5)
            values[flip] = mirrored(values[flip])
            x = pixels_of(seen).contiguous(memory_format=torch.channels_last)
            standardised = torch.from_numpy((values - mean) / deviation)
            loss = loss_of(reader, x, torch.from_numpy(classes[rows]), standardised, weights)
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
            bar.update()
    bar.close()
    return reader.eval()


def entropies(classes: np.ndarray) -> np.ndarray:
    """The cross-entropy of a guess by frequencies, of each factor of kinds (N, factors) in nats."""
    frequencies = [np.bincount(column) / len(column) for column in classes.T]
    return np.array([scipy.stats.entropy(each) for each in frequencies], np.float32)


def loss_of(reader: nn.Module, x: Tensor, classes: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """The cross-entropies of all kinds, weighted, and the squared errors of all numbers, summed over factors."""
    scores, values = reader(x)
    parts = scores.split([len(names) for names in KINDS.values()], dim=1)
    losses = [F.cross_entropy(part, classes[:, place]) for place, part in enumerate(parts)]
    return (weights * torch.stack(losses)).sum() + (values - targets).square().sum(1).mean()


def accuracy(
    reader: FactorReader, images: np.ndarray, indices: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> dict[str, Any]:
    """How well the factors of images are read.

    Of kinds: the share that is read rightly, and that of the most frequent kind, which a guess would reach. Of numbers:
    the share of the variance that is explained (R²).
    """
    people = factors(indices, SEED)
    truth, targets = kinds(people), (numbers(people) - mean) / deviation
    found, values = read(reader, features(reader, images))
    explained = 1 - ((values - targets) ** 2).mean(0) / targets.var(0)
    return {
        "images": len(images),
        "kinds": {
            name: {
                "read_rightly": float(np.mean(found[:, place] == truth[:, place])),
                "most_frequent": float(np.bincount(truth[:, place]).max() / len(truth)),
            }
            for place, name in enumerate(KINDS)
        },
        "numbers": {
            name: float(explained[FIRST[name] : FIRST[name] + width].mean()) for name, width in NUMBERS.items()
        },
    }
