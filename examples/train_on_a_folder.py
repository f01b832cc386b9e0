"""Train an f-VAE on a folder of images, without params.yaml and without Snakemake.

The pipeline does more: it validates, averages the weights, and lets the learning rate fall at the end.

PYTHONPATH=. python examples/train_on_a_folder.py PHOTOS --to my-model
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import fvae
from fvae.data.pixels import dequantise
from fvae.library import TrainedModel, as_array, save, to_pil
from fvae.models.build import build
from fvae.objective import bits_per_dim
from fvae.params import FVAESpec

SPEC = FVAESpec(
    kind="fvae",
    learning_rate=2e-3,
    init="data",
    encoder={"networks": "conv", "channels": [32, 96], "blocks": 1, "expansion": 0.5, "latent": 8},
    flow={"levels": 3, "steps": 4, "width": 64, "coupling": "affine", "mixing": "conv1x1", "actnorm": True},
)

arguments = argparse.ArgumentParser()
arguments.add_argument("folder", type=Path, help="JPEG and PNG files, in subfolders too")
arguments.add_argument("--to", type=Path, required=True, help="the folder of the trained model")
for name, value in (("--size", 32), ("--steps", 2000), ("--batch", 32)):  # size: pixels on a side
    arguments.add_argument(name, type=int, default=value)
chosen = arguments.parse_args()

paths = sorted(path for path in chosen.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
if not paths:
    arguments.error(f"{chosen.folder}: there are no JPEG or PNG files in it")
images = torch.from_numpy(np.concatenate([as_array(Image.open(path), chosen.size, bits=8) for path in paths]))
print(f"{len(images)} images")
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
generator = torch.Generator(device).manual_seed(0)
model = build(SPEC, chosen.size).to(device)
adam = torch.optim.Adam(model.parameters(), lr=SPEC.learning_rate)
for step in range(chosen.steps):
    batch = images[torch.randint(len(images), (chosen.batch,))].to(device)
    x, u = dequantise(batch, generator), model.noise(chosen.batch, generator)
    if step == 0:
        model.initialise(x, u)
    loss = bits_per_dim(model(x, u), model.dims).mean()  # equation (6)
    adam.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    adam.step()
    if step % 100 == 0:
        print(f"step {step}: {loss.item():.3f} bits/dim")
save(TrainedModel(model, SPEC), chosen.to)
to_pil(fvae.load(chosen.to).sample(1, temperature=0.8))[0].save(chosen.to / "sample.png")
