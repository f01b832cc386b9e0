"""What no single section can know: names that are taken, and numbers of images that are too small.

Each problem is found before anything is trained, as a parameter within the experiment and a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fvae.errors import UserError
from fvae.params.schema import Dense, Experiment, FlowModelSpec, FlowSpec, ModelSpec, Portraits, ResidualEncoder

RULES = (
    *("all", "paper", "prepare", "match", "train", "temperature"),
    *("inception_weights", "reference", "floor", "summary", "claims", "article"),
    *("data", "structures", "comparison", "samples", "interpolation", "interpolation_four", "neighbours"),
    *("spectra", "what_the_flow_adds", "reconstructions", "curves", "corruptions", "factors"),
    *("grain", "sizes", "metrics", "fidelity", "random_features"),
)
PREFIXES_OF_RULES = ("sample_", "evaluate_")
FOLDERS = ("raw", "fetched", "inception", "runs", "tables")
DATA_FIGURE_IMAGES = 60  # training images that the figure `data` shows
LEAST_TEST_IMAGES = 2  # a standard error needs two


class Problem(NamedTuple):
    """A parameter within an experiment, such as "training.batch_size", and what is wrong with it."""

    parameter: str
    message: str


def problems(name: str, experiment: Experiment) -> Iterator[Problem]:
    """What is wrong with an experiment, as far as params.yaml tells."""
    if name in RULES or name.startswith(PREFIXES_OF_RULES):
        yield Problem("", f"a rule of the workflow is called {name}; give the experiment another name")
    if name in FOLDERS:
        yield Problem("", f"a folder of the project is called {name}; give the experiment another name")
    yield from _learning_rate_never_reached(experiment)
    yield from _too_few_samples(experiment)
    yield from _levels_that_do_not_fit(experiment)
    yield from _batch_norm_of_one_value(experiment)
    if isinstance(data := experiment.data, Portraits):
        yield from _too_few_images(experiment, {"train": data.train, "validation": data.validation, "test": data.test})


def check_counts(experiment_name: str, experiment: Experiment, counts: Mapping[str, int]) -> None:
    """Check that each split of the prepared images has as many images as the parameters need.

    `counts` has the numbers of images in the splits "train", "validation" and "test"; a split that is left out has
    none. Raises UserError that names the parameter.
    """
    for problem in _too_few_images(experiment, counts):
        raise UserError(f"experiments.{experiment_name}.{problem.parameter}: {problem.message}")


def _learning_rate_never_reached(experiment: Experiment) -> Iterator[Problem]:
    """A cooldown that is longer than the training would keep the learning rate below its value all the time."""
    training = experiment.training
    if training.cooldown_images > training.images:
        limits = f"{training.cooldown_images:,} is more than training.images, {training.images:,}"
        yield Problem("training.cooldown_images", f"{limits}; the learning rate would never reach its value")


def _too_few_samples(experiment: Experiment) -> Iterator[Problem]:
    """What needs more random samples than are drawn."""
    evaluation, (rows, columns) = experiment.evaluation, experiment.figures.sheet
    samples = experiment.sampling.random.images
    drawn = f"sampling.random.images is {samples:,}"
    if rows * columns > samples:
        yield Problem("figures.sheet", f"{rows}×{columns} samples are needed, but {drawn}")
    if evaluation.swd.images > samples:
        yield Problem("evaluation.swd.images", f"{evaluation.swd.images:,} samples are needed, but {drawn}")
    wanted = evaluation.portrait_distance.images
    if isinstance(experiment.data, Portraits) and wanted > samples:
        yield Problem("evaluation.portrait_distance.images", f"{wanted:,} samples are needed, but {drawn}")
    if evaluation.fid.mode != "off" and evaluation.fid.images > samples:
        yield Problem("evaluation.fid.images", f"{evaluation.fid.images:,} samples are needed, but {drawn}")


def _levels_that_do_not_fit(experiment: Experiment) -> Iterator[Problem]:
    """Each level of an encoder or a flow halves the image, but for the first level of a flow on an encoder's output."""
    for name, spec in experiment.models.items():
        side = experiment.data.size
        halvings = []
        if not isinstance(spec, FlowModelSpec):
            halvings.append(("encoder", spec.encoder.levels))
        if isinstance(flow := getattr(spec, "flow", None), FlowSpec):
            halvings.append(("flow", flow.levels - bool(halvings)))
        for part, number in halvings:
            if side % 2**number:
                images = f"images of {experiment.data.size}×{experiment.data.size}"
                yield Problem(f"models.{name}.{part}.levels", f"{images} cannot be halved so often; use fewer levels")
                break
            side = 1 if part == "encoder" and is_dense(spec) else side // 2**number


def is_dense(spec: ModelSpec) -> bool:
    """Whether the latent of a model has no place in the image."""
    return not isinstance(spec, FlowModelSpec) and isinstance(spec.encoder.latent, Dense)


def _batch_norm_of_one_value(experiment: Experiment) -> Iterator[Problem]:
    """BatchNorm needs more than one value per channel: images at a time × rows × columns of its smallest input."""
    training = experiment.training
    images = training.batch_size // (training.devices * training.accumulate)
    for name, spec in experiment.models.items():
        if isinstance(spec, FlowModelSpec) or not isinstance(spec.encoder, ResidualEncoder):
            continue
        if images * max(1, experiment.data.size // 2**spec.encoder.levels) ** 2 < 2:
            yield Problem(
                "training.batch_size",
                f"{training.batch_size} gives BatchNorm one value per channel, since the smallest input in the encoder "
                f"of {name} is 1×1; it needs at least 2 images for each of training.devices and training.accumulate",
            )


def _too_few_images(experiment: Experiment, counts: Mapping[str, int]) -> Iterator[Problem]:
    """What needs more real images than a split has."""
    sampling, (rows, columns) = experiment.sampling, experiment.figures.sheet
    pairs, four = sampling.interpolation.pairs, sampling.interpolation_four.sheets
    portraits = isinstance(experiment.data, Portraits)
    split_of = {split: f"data.{split}" if portraits else "data" for split in ("train", "validation", "test")}
    needs = [
        (split_of["train"], "train", DATA_FIGURE_IMAGES, "the figure of the data"),
        (split_of["validation"], "validation", 1, "the choice of the best weights"),
        (split_of["test"], "test", LEAST_TEST_IMAGES, "a standard error"),
        ("training.batch_size", "train", experiment.training.batch_size, "a batch"),
        ("sampling.reconstructions.images", "test", sampling.reconstructions.images, "the reconstructions"),
        ("sampling.interpolation.pairs", "test", 2 * pairs, f"interpolation between {pairs} pairs"),
        ("sampling.interpolation_four.sheets", "test", 4 * four, f"interpolation among four images on {four} sheets"),
        ("figures.sheet", "test", rows * columns, f"a sheet of {rows}×{columns}"),
    ]
    for parameter, split, needed, purpose in needs:
        if (found := counts.get(split, 0)) < needed:
            noun = "image is" if needed == 1 else "images are"
            yield Problem(parameter, f"{needed:,} {noun} needed for {purpose}, but the {split} split has {found:,}")
