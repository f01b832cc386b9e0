"""The `export` command: a trained model as a folder that can be shared."""

from __future__ import annotations

from pathlib import Path

from fvae import layout
from fvae.commands.arguments import experiment_with
from fvae.library.export import export


def run(experiment_name: str, model: str, seed: int, folder: Path, *, onnx: bool) -> None:
    """Write the folder, and print how it is uploaded and loaded.

    Raises UserError where the run is not trained, where its files are damaged, or where ONNX cannot be written.
    """
    experiment = experiment_with(experiment_name, model)
    export(layout.Run(experiment_name, model, seed), experiment, folder, onnx=onnx)
    print(f'{folder}: load it with fvae.load("{folder}"), share it with: hf upload OWNER/NAME {folder}')
