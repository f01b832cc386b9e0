"""Where a trained model is read from: a run's folder, an exported folder, or the Hugging Face Hub."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from typing_extensions import TypedDict

from fvae.errors import UserError
from fvae.files import read_json
from fvae.library.trained_model import TrainedModel
from fvae.models.base import Model
from fvae.models.build import build, read_spec
from fvae.params import TaggedModelSpec, load
from fvae.results import MatchedModel
from fvae.training.checkpoint import load_weights
from fvae.training.machine import default_device

CONFIG, WEIGHTS = "config.json", "model.safetensors"  # of an exported folder


class Config(TypedDict):
    """config.json of an exported folder."""

    library_name: str
    fvae_version: str
    image_size: int  # pixels on a side
    bits: int  # per channel of a pixel
    spec: TaggedModelSpec


def load_model(place: str | Path, device: str | None = None) -> TrainedModel:
    """As `fvae.load`, which documents it."""
    folder = Path(place)
    if (folder / CONFIG).is_file():
        found = load_exported(folder)
    elif (folder / "model.json").is_file():
        found = load_run(folder)
    else:
        raise UserError(
            f"{place}: no trained model is there; name a run's folder, such as results/demo/runs/fvae/seed-0, "
            "an exported folder, or hf://OWNER/NAME"
        )
    move(found.model, device)
    return found


def load_exported(folder: Path) -> TrainedModel:
    """The model of a folder that `python -m fvae export` wrote, on the CPU. Raises UserError as `fvae.load`."""
    config = read_json(folder / CONFIG, "export", Config)
    model = untrained(config["spec"], config["image_size"], config["bits"])
    try:
        load_weights(folder / WEIGHTS, model)
    except UserError as error:
        raise UserError(f"{folder}: {WEIGHTS} is missing, damaged or not of {CONFIG}; export it again") from error
    return TrainedModel(model, config["spec"])


def load_run(folder: Path) -> TrainedModel:
    """The model of a run's folder, ROOT/results/EXPERIMENT/runs/MODEL/seed-N, on the CPU.

    The run does not record the size of its images and their bits. They are read from ROOT/params.yaml, as every command
    reads them, and compared with the shape of u that `match` wrote beside the run.

    Raises UserError as `fvae.load`.
    """
    spec = read_spec(folder / "model.json")
    parents = Path(os.path.abspath(folder)).parents
    if len(parents) < 5 or not (parents[4] / "params.yaml").is_file():
        raise UserError(
            f"{folder}: it lies in no project whose params.yaml tells the size of its images; "
            "python -m fvae export makes a folder that can be moved"
        )
    data = load(parents[4] / "params.yaml").experiment(parents[2].name, str(folder)).data
    model = untrained(spec, data.size, data.bits)
    matched = folder.parent / "model.json"
    if matched.is_file():
        noise = read_json(matched, "match", MatchedModel)["size"]["noise"]
        if noise != list(model.noise_shape):
            raise UserError(
                f"{folder}: trained on images of another size than the {data.size}×{data.size} of params.yaml"
            )
    load_weights(folder / "weights.safetensors", model)
    return TrainedModel(model, spec)


def untrained(spec: TaggedModelSpec, size: int, bits: int) -> Model:
    """The model of a section, as `build` makes it, which leaves PyTorch's global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        return build(spec, size, bits)


def move(model: Model, device: str | None) -> None:
    """Move a model to a device. Raises UserError where there is no such device."""
    try:
        model.to(device or default_device())
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"device: '{device}' cannot be used here ({reason})") from error
