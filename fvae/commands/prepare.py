"""The `prepare` command: an experiment's images as one array, with their splits."""

from __future__ import annotations

from pathlib import Path

from fvae import layout
from fvae.data.prepare import prepare_images, prepare_portraits
from fvae.params import Images, Params, load


def run(experiment_name: str) -> None:
    """Write data/EXPERIMENT. Raises UserError where the images cannot be found or read."""
    params = load()
    settings, folder = params.experiment(experiment_name).data, layout.data(experiment_name)
    if isinstance(settings, Images):
        prepare_images(settings, folder, other_sizes(params, experiment_name))
    else:
        prepare_portraits(settings, folder)


def other_sizes(params: Params, experiment_name: str) -> dict[int, Path]:
    """Folders, by image size, of other experiments that can be prepared in the same pass over the source.

    Their parameters differ only in the size of the images, and they are not prepared yet. Of several of one size, the
    first is taken.
    """
    settings = params.experiment(experiment_name).data
    return {
        other.size: layout.data(name)
        for name, chosen in reversed(params.experiments.items())
        if (other := chosen.data) == settings.model_copy(update={"size": other.size})
        and other.size != settings.size
        and not (layout.data(name) / "manifest.json").exists()
    }
