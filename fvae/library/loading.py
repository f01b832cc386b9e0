"""Where a trained model is read from: a run's folder, a saved folder, or the Hugging Face Hub."""

from __future__ import annotations

import os
from pathlib import Path

from fvae.errors import UserError
from fvae.files import read_json
from fvae.library.folder import CONFIG, load_saved, untrained
from fvae.library.hub import download, is_address
from fvae.library.trained_model import TrainedModel
from fvae.models.base import Model
from fvae.models.build import read_spec
from fvae.params import load
from fvae.results import MatchedModel
from fvae.training.checkpoint import load_weights
from fvae.training.machine import default_device


def load_model(place: str | Path, device: str | None = None) -> TrainedModel:
    """As `fvae.load`, which documents it."""
    folder = download(str(place)) if is_address(place) else Path(place)
    if (folder / CONFIG).is_file():
        trained = load_saved(folder)
    elif run := run_folder(folder):
        trained = load_run(run)
    else:
        raise UserError(
            f"{place}: there is no trained model; train one (`make` trains results/demo/runs/fvae/seed-0), or name "
            "a run's folder, a folder that `python -m fvae export` wrote, or hf://OWNER/NAME"
        )
    move(trained.model, device)
    return trained


def run_folder(folder: Path) -> Path | None:
    """The folder with a run's model.json: this one, or for EXPERIMENT/MODEL/seed-N that of EXPERIMENT/runs; else None.

    The short form is looked up only where the folder itself does not exist.
    """
    found = folder
    if not folder.exists():
        model, seed = folder.parent, folder.name
        found = model.parent / "runs" / model.name / seed
    return found if (found / "model.json").is_file() else None


def load_run(folder: Path) -> TrainedModel:
    """The model of a run's folder, ROOT/results/EXPERIMENT/runs/MODEL/seed-N, on the CPU.

    A run does not record the size of its images and their bits. They are read from ROOT/params.yaml, as every command
    reads them, and compared with the shape of u that `match` wrote beside the run.

    Raises UserError as `fvae.load`.
    """
    if seeds := sorted(folder.glob("seed-*")):
        raise UserError(f"{folder}: it has a folder for each seed; name one of them, such as {seeds[0]}")
    spec = read_spec(folder / "model.json")
    own = Path(os.path.abspath(folder))
    parents = own.parents
    if len(parents) < 5 or not (parents[4] / "params.yaml").is_file():
        raise UserError(
            f"{folder}: not in a project, whose params.yaml says how large its images are; "
            "there, `python -m fvae export` makes a folder that can be moved"
        )
    data = load(parents[4] / "params.yaml").experiment(parents[2].name, str(folder)).data
    model = untrained(spec, data.size, data.bits)
    matched = own.parent / "model.json"
    if matched.is_file():
        noise = read_json(matched, "", MatchedModel)["size"]["noise"]
        if noise != list(model.noise_shape):
            raise UserError(f"{folder}: trained on images of another size than data.size in params.yaml, {data.size}")
    load_weights(folder / "weights.safetensors", model)
    return TrainedModel(model, spec)


def move(model: Model, device: str | None) -> None:
    """Move a model to a device. Raises UserError where there is no such device."""
    try:
        model.to(device or default_device())
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"device: '{device}' cannot be used here ({reason})") from error
