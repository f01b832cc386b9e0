"""The folder of a model that can be moved and shared, as the Hugging Face Hub wants it: config.json and safetensors."""

from __future__ import annotations

from pathlib import Path

import torch
from typing_extensions import TypedDict

from fvae.errors import UserError
from fvae.files import read_json, write_json
from fvae.library.trained_model import TrainedModel
from fvae.models.base import Model
from fvae.models.build import build
from fvae.params import ModelSpec, TaggedModelSpec
from fvae.training.checkpoint import copied_weights, load_weights, save_weights
from fvae.version import __version__

CONFIG, WEIGHTS = "config.json", "model.safetensors"


class Config(TypedDict):
    """config.json."""

    library_name: str
    fvae_version: str
    image_size: int  # pixels on a side
    bits: int  # per channel of a pixel
    spec: TaggedModelSpec


def save(trained: TrainedModel, folder: str | Path) -> None:
    """Write a model to a folder, which `fvae.load` reads: model.safetensors and config.json."""
    config = {
        "library_name": "fvae",
        "fvae_version": __version__,
        "image_size": trained.image_size,
        "bits": trained.bits,
        "spec": trained.spec.model_dump(mode="json"),
    }
    save_weights(Path(folder) / WEIGHTS, copied_weights(trained.model))
    write_json(Path(folder) / CONFIG, config)


def load_saved(folder: Path) -> TrainedModel:
    """The model of such a folder, on the CPU. Raises UserError where a file is missing or damaged."""
    config = read_json(folder / CONFIG, "export", Config)
    model = untrained(config["spec"], config["image_size"], config["bits"])
    try:
        load_weights(folder / WEIGHTS, model)
    except UserError as error:
        raise UserError(f"{folder / WEIGHTS}: missing, damaged or not of {CONFIG}; export it again") from error
    return TrainedModel(model, config["spec"])


def untrained(spec: ModelSpec, size: int, bits: int) -> Model:
    """The model of a section, as `build` makes it, which leaves PyTorch's global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        return build(spec, size, bits)
