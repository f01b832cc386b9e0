"""params.yaml and experiments/*.yaml: every number that decides a result, merged, checked, and with its types."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from fvae.params.checks import check_counts, problems
from fvae.params.inheritance import resolve
from fvae.params.messages import error_at, explain
from fvae.params.schema import (
    FID,
    NOT_OF_SIZE,
    SWD,
    AutoregressiveSteps,
    BitsPerDim,
    Claims,
    ConvEncoder,
    Experiment,
    Figures,
    FlowModelSpec,
    FlowSpec,
    FolderSplit,
    FVAESpec,
    HashSplit,
    IAFSpec,
    Images,
    Match,
    MixtureSpec,
    ModelSpec,
    Params,
    PlanarSpec,
    PlanarSteps,
    Portraits,
    PublishedSplit,
    ResidualEncoder,
    Sampling,
    Sharpness,
    TaggedModelSpec,
    Training,
    VAESpec,
    free_sizes,
)
from fvae.params.source import read_all

__all__ = [
    "FID",
    "NOT_OF_SIZE",
    "SWD",
    "AutoregressiveSteps",
    "BitsPerDim",
    "Claims",
    "ConvEncoder",
    "Experiment",
    "FVAESpec",
    "Figures",
    "FlowModelSpec",
    "FlowSpec",
    "FolderSplit",
    "HashSplit",
    "IAFSpec",
    "Images",
    "Match",
    "MixtureSpec",
    "ModelSpec",
    "Params",
    "PlanarSpec",
    "PlanarSteps",
    "Portraits",
    "PublishedSplit",
    "ResidualEncoder",
    "Sampling",
    "Sharpness",
    "TaggedModelSpec",
    "Training",
    "VAESpec",
    "check_counts",
    "free_sizes",
    "load",
]


def load(path: Path | str = "params.yaml") -> Params:
    """Read params.yaml and the files in `experiments` beside it, merge what experiments inherit, and check all.

    Raises UserError with one line that names the line and the place in the file, what is wrong and what is allowed.
    """
    file = resolve(read_all(Path(path)))
    try:
        params = Params.model_validate(file.plain())
    except ValidationError as error:
        raise explain(error, file) from error
    for name, experiment in params.experiments.items():
        for problem in problems(name, experiment):
            raise error_at(["experiments", name], problem.parameter, problem.message, file)
    return params
