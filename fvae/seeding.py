"""Named random streams: each draw depends on a seed and a name, and not on earlier draws of other streams."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for the stream `names` of a seed, such as (0, "train/order", epoch)."""
    return np.random.default_rng(_sequence(seed, names))


def torch_generator(seed: int, *names: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A PyTorch generator on a device for the stream `names` of a seed."""
    import torch

    state = _sequence(seed, names).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))


def _sequence(seed: int, names: tuple[str | int, ...]) -> np.random.SeedSequence:
    words = [zlib.crc32(name.encode()) if isinstance(name, str) else name for name in names]
    return np.random.SeedSequence([seed, *words])


def seed_everything(seed: int, *names: str | int) -> None:
    """Seed PyTorch's global generator, from which layers draw their initial weights."""
    import torch

    torch.manual_seed(torch_generator(seed, *names).initial_seed())
