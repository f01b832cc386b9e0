"""A run's model as a folder for the Hugging Face Hub: weights, config, model card, samples, and on demand ONNX."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from fvae import layout
from fvae.errors import UserError
from fvae.files import write, write_text
from fvae.library.card import card
from fvae.library.folder import save
from fvae.library.loading import load_run
from fvae.library.onnx_decoder import export_decoder
from fvae.library.trained_model import TrainedModel
from fvae.paper.style import sheet
from fvae.params import Experiment

DECODER = "decoder.onnx"
SHEET = (6, 6)  # rows and columns of samples
SIDE = 64  # pixels at least that an image of the sheet is shown with


def export(run: layout.Run, experiment: Experiment, folder: Path, *, onnx: bool = False) -> None:
    """Write model.safetensors, config.json, README.md and sheet.png, and decoder.onnx where it is asked for.

    Raises UserError where the run is not trained or one of its files is damaged, and as `export_decoder`.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: a file is there; name another folder")
    trained = load_run(run.folder)
    temperature = experiment.sampling.sheets.temperature
    text = card(run, experiment, trained, temperature, onnx)  # first, since it raises where something is missing
    (folder / DECODER).unlink(missing_ok=True)  # of an earlier export
    if onnx:
        export_decoder(trained.model, folder / DECODER)
    save(trained, folder)
    image = Image.fromarray(sample_sheet(trained, temperature, int(run.seed)))
    write(folder / "sheet.png", partial(image.save, format="PNG"))
    write_text(folder / "README.md", text)


def sample_sheet(trained: TrainedModel, temperature: float, seed: int) -> np.ndarray:
    """Random samples in rows and columns, small ones enlarged: uint8 (H, W, 3)."""
    samples = trained.sample(SHEET[0] * SHEET[1], temperature, seed)
    scale = max(1, SIDE // trained.image_size)
    large = samples.repeat(scale, axis=2).repeat(scale, axis=3)
    return sheet(large.reshape(*SHEET, *large.shape[1:]), gap=2)
