"""f-VAEs: Improve VAEs with Conditional Flows (Su & Wu 2018, arXiv 1809.05861)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fvae.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from fvae.library import TrainedModel

__all__ = ["__version__", "load"]


def load(place: str | Path, device: str | None = None) -> TrainedModel:
    """A trained model, ready to sample, encode, decode and interpolate.

    `place` is a run's folder, such as `results/demo/runs/fvae/seed-0`, where `runs` may be left out; a folder that
    `python -m fvae export` wrote; or `hf://OWNER/NAME` or `hf://OWNER/NAME@REVISION` on the Hugging Face Hub. `device`
    is PyTorch's name of one, such as `"cpu"`; by default the GPU where there is one.

    Raises UserError where there is no such model, where its files do not fit each other, or where there is no such
    device.
    """
    from fvae.library import load_model  # here, so that importing fvae imports no PyTorch

    return load_model(place, device)
