"""Resizing is Pillow's to within a level or two, and the same bytes on every processor."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import torch.nn.functional as F
from PIL import Image

from fvae.data import images
from fvae.errors import UserError

PILLOW = {
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
SIDES = ((64, 64), (65, 64), (100, 64), (178, 64), (178, 128), (250, 64), (1024, 64), (37, 5), (300, 256))


def noise(side):
    """Pixels of 0 and 255 above, of every value below."""
    rng = np.random.default_rng(side)
    hard = 255 * rng.integers(0, 2, (side // 2, side, 3), dtype=np.uint8)
    return np.concatenate([hard, rng.integers(0, 256, (side - side // 2, side, 3), dtype=np.uint8)])


@pytest.mark.parametrize(("side", "size"), SIDES)
@pytest.mark.parametrize("filter", PILLOW)
def test_resizing_is_pillows_to_within_a_level_or_two(filter, side, size):
    pixels = noise(side)
    theirs = np.asarray(Image.fromarray(pixels).resize((size, size), PILLOW[filter])).transpose(2, 0, 1).astype(int)
    ours = images.resize(pixels, size, filter)
    assert (ours.dtype, ours.shape) == (np.uint8, (3, size, size))
    assert np.abs(ours - theirs).max() <= (0 if filter == "area" else 1 if size <= 128 else 2)
    assert (ours != theirs).mean() < 0.07


def digest():
    """Of all sizes by all filters."""
    resized = (images.resize(noise(side), size, filter).tobytes() for side, size in SIDES for filter in PILLOW)
    return hashlib.sha256(b"".join(resized)).hexdigest()


def test_every_processor_makes_the_same_bytes():
    """PyTorch's kernels without vector instructions against this processor's own."""
    command = [sys.executable, "-c", f"from {__name__} import digest; print(digest())"]
    path = os.pathsep.join(sys.path)
    plain = os.environ | {"ATEN_CPU_CAPABILITY": "default", "PYTHONPATH": path}
    assert subprocess.run(command, env=plain, capture_output=True, text=True, check=True).stdout.strip() == digest()


def test_memory_that_is_full_is_no_fault_of_an_image(monkeypatch):
    def full(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(F, "interpolate", full)
    with pytest.raises(MemoryError):
        images.decode(noise(40).transpose(2, 0, 1), size=16, crop="center", filter="lanczos")


def test_a_pytorch_without_the_filter_is_one_clear_line(monkeypatch):
    def older(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr(F, "interpolate", older)
    with pytest.raises(UserError, match="cannot resize by lanczos: choose another"):
        images.decode(noise(40).transpose(2, 0, 1), size=16, crop="center", filter="lanczos")
    assert images.decode(noise(16).transpose(2, 0, 1), size=16, crop="center", filter="lanczos").shape == (3, 16, 16)
