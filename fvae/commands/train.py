"""The `train` command: train one model, or continue an interrupted training."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import typer
from lightning_fabric.utilities import rank_zero_only
from pydantic import TypeAdapter

from fvae import layout
from fvae.commands.arguments import experiment_with
from fvae.data.dataset import load as load_images
from fvae.data.dataset import random_images
from fvae.errors import UserError
from fvae.evaluation.validation import validator
from fvae.files import lock_folder, read_json, write_text
from fvae.models.base import Model
from fvae.models.build import build
from fvae.models.match import resolve_one
from fvae.params import (
    NOT_OF_SIZE,
    Experiment,
    ModelSpec,
    Portraits,
    TaggedModelSpec,
    Training,
    check_counts,
    free_sizes,
)
from fvae.seeding import seed_everything
from fvae.training import loop


def run(experiment_name: str, model: str, seed: int, *, resume_across_versions: bool = False) -> None:
    """Train a model of an experiment; its run's folder then holds weights, history and cost.

    Those of an earlier training are deleted after all checks, before the first step.

    Raises UserError where the experiment has no such model, where its images are missing, where another process trains
    it, where there are too few images for what the parameters ask, and where the training is stopped or diverges.
    """
    experiment = experiment_with(experiment_name, model)
    if seed not in experiment.seeds:
        seeds = ", ".join(map(str, experiment.seeds))
        raise UserError(f"--seed: {seed} is not one of experiments.{experiment_name}.seeds ({seeds}); add it there")
    spec, settings = resolved(experiment, model, layout.model(experiment_name, model)), experiment.training_of(model)
    images = load_images(layout.data(experiment_name))
    check_counts(experiment_name, experiment, Counter(images.splits))
    seed_everything(seed, "train/weights")
    net = build(spec, experiment.data.size, experiment.data.bits)
    folder = layout.Run(experiment_name, model, seed)
    lock = rank_zero_only(lock_folder)(folder.folder)
    try:
        loop.train(
            net,
            images.training_images(hold_out=settings.hold_out),
            folder.folder,
            settings=settings,
            learning_rate=spec.learning_rate,
            init=spec.init,
            seed=seed,
            fingerprint=fingerprint(spec, settings, seed, images.digest(), experiment.evaluation.swd.patches, net),
            validate=validator(
                random_images(images.split("validation"), settings.validation_images, "train/validation"),
                patches=experiment.evaluation.swd.patches,
                seed=seed,
                portraits=isinstance(experiment.data, Portraits),
            ),
            begin=lambda: write_text(folder.model_spec, spec.model_dump_json(indent=2) + "\n"),
            resume_across_versions=resume_across_versions,
        )
    except UserError:
        if rank_zero_only.rank == 0:  # type: ignore[attr-defined]
            raise
        raise typer.Exit(1) from None  # the first of several processes prints the reason
    del lock  # it is held until here


def resolved(experiment: Experiment, model: str, matched: Path) -> ModelSpec:
    """The model's section with its size: that which the `match` command wrote to the file `matched`, or a computed one.

    It applies where the file is there and its section differs from that of params.yaml in nothing but the size that is
    'match' and keys on which no size depends, such as the learning rate. Otherwise the size is computed here.
    """
    spec = experiment.models[model]
    if not free_sizes(spec) or not matched.exists():
        return resolve_one(experiment, model)
    try:
        found: ModelSpec = TypeAdapter(TaggedModelSpec).validate_python(read_json(matched, "")["spec"])
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{matched}: damaged; delete it and run this again") from error
    found = found.model_copy(update={name: getattr(spec, name) for name in NOT_OF_SIZE})
    unmatched = found.model_dump()
    for section, size in free_sizes(spec):
        unmatched.setdefault(section, {})[size] = "match"
    applies = unmatched == spec.model_dump() and not free_sizes(found)
    return found if applies else resolve_one(experiment, model)


def fingerprint(spec: ModelSpec, settings: Training, seed: int, images_digest: str, patches: int, model: Model) -> str:
    """A digest of all that decides a training but its code: a state is continued only where this is the same."""
    made_of = [
        spec.model_dump_json(),
        settings.model_dump_json(),
        seed,
        images_digest,
        patches,
        [[name, *tensor.shape] for name, tensor in model.state_dict().items()],  # other code may name them otherwise
    ]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
