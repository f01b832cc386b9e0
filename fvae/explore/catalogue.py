"""The models and the images of an experiment, as the page offers them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

import fvae
from fvae import layout
from fvae.data.dataset import ImageArray
from fvae.data.dataset import load as load_images
from fvae.errors import UserError
from fvae.explore.directions import NAMES, TRAINING_IMAGES, directions
from fvae.explore.film import has_film
from fvae.explore.uploads import MAX_BYTES, Uploads
from fvae.library import TrainedModel
from fvae.paper import style
from fvae.params import Experiment, Portraits

Run = tuple[str, int]  # a model's name, and the seed of its training


class Catalogue:
    """What the page shows of an experiment of the project in the current folder.

    A model is loaded when it is first asked for, and again where its weights have changed since. One thread at a time
    may use it.
    """

    def __init__(self, name: str, experiment: Experiment) -> None:
        self.name, self.experiment = name, experiment
        self.uploads = Uploads(experiment.data.size, experiment.data.bits, resize_filter(experiment))
        self._models: dict[Run, tuple[int, TrainedModel]] = {}
        self._directions: dict[Run, tuple[TrainedModel, dict[str, np.ndarray]]] = {}

    @cached_property
    def images(self) -> ImageArray:
        """The prepared images. Raises UserError where there are none."""
        return load_images(layout.data(self.name))

    def run(self, model: str, seed: int) -> layout.Run:
        """A training of a model. Raises UserError where the experiment has no such model or seed."""
        if model not in self.experiment.models:
            raise UserError(f"model: '{model}' is not one of {', '.join(self.experiment.models)}")
        if seed not in self.experiment.seeds:
            raise UserError(f"run: {seed} is not one of {', '.join(map(str, self.experiment.seeds))}")
        return layout.Run(self.name, model, seed)

    def is_trained(self, run: layout.Run) -> bool:
        """Whether a training has ended."""
        return run.weights.is_file() and run.training.is_file()

    def model(self, name: str, seed: int) -> TrainedModel:
        """A trained model. Raises UserError where it is not trained, or where a file of it is damaged."""
        run = self.run(name, seed)
        if not self.is_trained(run):
            raise UserError(f"{style.label(name)} is not trained yet: {self.command(name, seed)}")
        written = run.weights.stat().st_mtime_ns
        known = self._models.get((name, seed))
        if known is None or known[0] != written:
            known = self._models[name, seed] = (written, fvae.load(run.folder))
        return known[1]

    def image(self, reference: str) -> np.ndarray:
        """A held-out image, as held-12, or one's own, as own-3: uint8 (3, H, W). Raises UserError for any other."""
        kind, _, number = reference.partition("-")
        if kind == "own":
            return self.uploads[reference]
        held_out = self.images.split("test")
        if kind != "held" or not number.isdecimal() or int(number) >= len(held_out):
            raise UserError(f"image: '{reference[:40]}' is not one of held-0 to held-{len(held_out) - 1}")
        return np.array(held_out[int(number)])

    def directions(self, model: str, seed: int) -> dict[str, np.ndarray]:
        """What is added to a latent for each factor of portraits, (d,). Raises UserError where factors are unknown."""
        if not isinstance(self.experiment.data, Portraits):
            raise UserError("directions need images whose factors are known, which only drawn portraits are")
        trained = self.model(model, seed)
        known = self._directions.get((model, seed))
        if known is None or known[0] is not trained:
            images = self.images.split("train")[:TRAINING_IMAGES]
            known = self._directions[model, seed] = (trained, directions(trained, images, self.experiment.data.seed))
        return known[1]

    def command(self, model: str, seed: int) -> str:
        """The command that trains a model, where that is needed after the one that prepares the images."""
        train = f"python -m fvae train --experiment {self.name} --model {model}" + (f" --seed {seed}" if seed else "")
        prepared = (layout.data(self.name) / "images.npy").exists()
        return train if prepared else f"python -m fvae prepare --experiment {self.name} && {train}"

    def describe(self) -> dict[str, Any]:
        """What the page needs to know before anything is computed, as JSON."""
        experiment = self.experiment
        runs = {name: [layout.Run(self.name, name, seed) for seed in experiment.seeds] for name in experiment.models}
        try:
            held_out, problem = len(self.images.split("test")), None
        except UserError as error:
            held_out, problem = 0, str(error)
        drawn = isinstance(experiment.data, Portraits)
        return {
            "experiment": self.name,
            "subject": "drawn portraits" if drawn else "photographs",
            "size": experiment.data.size,
            "runs": list(experiment.seeds),
            "models": [
                {
                    "name": name,
                    "label": style.label(name),
                    "trained": [run.seed for run in runs[name] if self.is_trained(run)],
                    "filmed": [run.seed for run in runs[name] if has_film(run.folder)],
                    "commands": {seed: self.command(name, seed) for seed in experiment.seeds},
                }
                for name in experiment.models
            ],
            "first_films": first_films(experiment),
            "held_out": held_out,
            "held_out_problem": problem,
            "directions": [{"name": name, "label": label} for name, label in NAMES.items()] if drawn else [],
            "temperature": experiment.sampling.sheets.temperature,
            "max_bytes": MAX_BYTES,
        }


def first_films(experiment: Experiment) -> list[str]:
    """Three models that are worth comparing: a VAE, a flow and an f-VAE where the claims name them."""
    claims = experiment.claims
    named = [names[0] for names in (claims.vae, claims.glow, claims.fvae) if names]
    return list(dict.fromkeys([*named, *experiment.models]))[:3]


def resize_filter(experiment: Experiment) -> str:
    """The filter with which images are resized for training."""
    return "lanczos" if isinstance(experiment.data, Portraits) else experiment.data.filter
