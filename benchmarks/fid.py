"""Time of FID as `python -m fvae` computes it, from arrays, beside `python -m pytorch_fid` on PNG folders of the same.

    PYTHONPATH=. python benchmarks/fid.py

makes random images and random weights, for neither changes how long it takes; prints the ratio with its parts, and
writes benchmarks/results/fid-DEVICE.json. At the default number of images, which two cores do in minutes, the matrix
square root takes a large part of either.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytorch_fid.inception
import torch
import typer
from PIL import Image
from records import described, write
from torch import nn

from fvae.evaluation import reference
from fvae.evaluation.inception import NAME
from fvae.evaluation.metrics.fid import inception_metrics
from fvae.params import FID
from fvae.training.machine import default_device


def random_weights(path: Path) -> None:
    """Weights that keep the scale of the activations."""
    torch.manual_seed(0)
    with (
        patch.object(pytorch_fid.inception, "load_state_dict_from_url"),
        patch.object(nn.Module, "load_state_dict"),
    ):
        network = pytorch_fid.inception.fid_inception_v3()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    path.parent.mkdir(parents=True)
    torch.save(network.state_dict(), path)


def main(images: int = 100, side: int = 64) -> None:
    """Both on the same images, in turn, from images in memory or on disk to the number."""
    rng = np.random.default_rng(0)
    sets = {name: rng.integers(0, 256, (images, 3, side, side), dtype=np.uint8) for name in ("train", "samples")}
    sets["samples"] //= 2
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        weights = folder / "torch/hub/checkpoints" / NAME
        random_weights(weights)
        settings, status = FID(mode="required", images=images), {"path": str(weights), "reason": None}
        start = time.perf_counter()
        reference.make(folder / "reference.npz", sets["train"], "digest", settings, status)
        made = time.perf_counter()
        loaded = reference.load(folder / "reference.npz", "digest")
        ours = inception_metrics(sets["samples"][None], loaded, status, seed=0)
        done = time.perf_counter()
        for name, part in sets.items():
            (folder / name).mkdir()
            for index, image in enumerate(part):
                Image.fromarray(image.transpose(1, 2, 0)).save(folder / name / f"{index:05}.png")
        command = [sys.executable, "-m", "pytorch_fid", str(folder / "train"), str(folder / "samples")]
        again = time.perf_counter()
        said = subprocess.run(
            command, env=os.environ | {"TORCH_HOME": str(folder / "torch")}, capture_output=True, text=True, check=True
        ).stdout
        theirs = time.perf_counter() - again
    device, fid = default_device(), float(said.split()[-1])
    found = {
        **described(device),
        "images": images,
        "side": side,
        "seconds": {"reference": made - start, "model": done - made, "pytorch_fid": theirs},
        "ratio": theirs / (done - start),
        "fid": {"ours": ours["fid"], "pytorch_fid": fid, "relative_difference": abs(ours["fid"] / fid - 1)},
    }
    print(
        f"FID of a first model, {images} images of {side}×{side}: {found['ratio']:.2f} × (ours {done - start:.1f} s: "
        f"{made - start:.1f} s for the reference, of all models, and {done - made:.1f} s for the model, with KID, "
        f"precision, recall, density and coverage; pytorch_fid {theirs:.1f} s, its start included); the numbers differ "
        f"by {found['fid']['relative_difference']:.1e}"
    )
    write("fid-", device, found)


if __name__ == "__main__":
    typer.run(main)
