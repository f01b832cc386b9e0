"""What the page may ask for: the arguments of a request as types, and one line for a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

from fvae.errors import UserError

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Amount = Annotated[float, Field(ge=-4, le=4)]


class Query(BaseModel):
    """Arguments that name one training of one model."""

    model_config = ConfigDict(extra="forbid")

    model: str
    run: Seed = 0  # the seed of the training


class Sampling(BaseModel):
    """How samples are drawn."""

    rows: Annotated[int, Field(ge=1, le=20)] = 4
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    seed: Seed = 0


class Samples(Query, Sampling):
    """Samples of one model."""


class Saved(Sampling):
    """A file of samples of several models."""

    model_config = ConfigDict(extra="forbid")

    models: str  # names, separated by commas
    run: Seed = 0


class Interpolation(Query):
    """Images on a path or a grid between others."""

    images: str  # references, separated by commas
    steps: Annotated[int, Field(ge=2, le=15)] = 7
    form: Literal["path", "grid"] = "path"


class Reconstruction(Query):
    """One image."""

    image: str


class Directions(Query):
    """One image, and how much of each direction is added to its latent."""

    image: str
    amounts: Json[dict[str, Amount]]  # of those in `directions.NAMES`


class Frame(Query):
    """One sheet of a film."""

    step: Annotated[int, Field(ge=0)]


Form = TypeVar("Form", bound=BaseModel)


def checked(form: type[Form], arguments: Mapping[str, str]) -> Form:
    """The arguments of a request. Raises UserError with one line for what is unknown, missing or out of range."""
    try:
        return form.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from error
