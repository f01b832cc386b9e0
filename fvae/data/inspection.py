"""What a path is taken for, before anything is prepared."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from fvae.data import hub, images
from fvae.data.ahead import mapped
from fvae.data.decoding import decoded
from fvae.data.journal import Line
from fvae.data.sources import Picture, Source
from fvae.data.splits import assign
from fvae.errors import UserError
from fvae.params import Images, PublishedSplit
from fvae.progress import progress

MOST = 10  # rejections, and sizes, that are told one by one


def inspect(path: str, settings: Images | None) -> str:
    """The form, how many images of which sizes, the published split, and what would be rejected with the settings.

    Without settings an image need only decode. Raises UserError where the path is no source.
    """
    source = Source(hub.local(path))
    crop: images.Crop = settings.crop if settings else "center"
    size = settings.size if settings else 1

    pictures = progress(source.pictures(), desc=f"looking at {Path(path).name}", unit="image", total=source.count)
    looked = list(mapped(partial(_look, crop=crop, size=size, side=source.form.side), pictures))
    kept = [line for line, _ in looked if not line.rejection(size)]
    shapes = Counter(shape for _, shape in looked if shape)
    rejected = [line for line, _ in looked if line.rejection(size)]
    said = [f"{path}: {source.form.name}, {len(looked):,} images"]
    if source.left_out:
        said.append(f"  and {source.left_out:,} others that are not of that form and would be left out")
    said += [f"  {width}×{height}: {count:,}" for (width, height), count in shapes.most_common(MOST)]
    if len(shapes) > MOST:
        said.append(f"  and {len(shapes) - MOST:,} more sizes")
    try:
        split = Counter(assign(kept, PublishedSplit(kind="published", validation=0.0), source.form.indexed))
        said.append("published split: " + ", ".join(f"{count:,} {part}" for part, count in sorted(split.items())))
    except UserError:
        said.append("no published split")
    said.append(f"would be rejected: {len(rejected):,}")
    said += [f"  {line.name}: {line.rejection(size)}" for line in rejected[:MOST]]
    if len(rejected) > MOST:
        said.append(f"  and {len(rejected) - MOST:,} more")
    return "\n".join(said)


def _look(
    picture: Picture, *, crop: images.Crop, size: int, side: tuple[int, int] | None
) -> tuple[Line, tuple[int, int] | None]:
    """What would become of a picture; its width and height."""
    line, _ = decoded(picture, sizes=(size,), crop=crop, filter="area", side=side)
    if line.rejection(size):
        return line, None
    return line, picture.data.shape[:0:-1] if isinstance(picture.data, np.ndarray) else images.shape(picture.data)
