"""What a source is recognised as, and what would be rejected, before anything is prepared."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from fvae.data import hub, images
from fvae.data.decoding import decode_at_sizes
from fvae.data.journal import Outcome
from fvae.data.parallel import parallel_map
from fvae.data.sources import Picture, Source
from fvae.data.splits import assign
from fvae.errors import UserError
from fvae.params import Images, PublishedSplit
from fvae.progress import progress

LISTED = 10  # rejections, and sizes, that are listed one by one


def inspect(path: str, settings: Images | None) -> str:
    """The form, how many images of which sizes, the published split, and what would be rejected with the settings.

    Without settings an image need only decode. Raises UserError where the path is no source.
    """
    source = Source(hub.local(path), settings.form if settings else "auto")
    crop: images.Crop = settings.crop if settings else "center"
    size = settings.size if settings else 1

    pictures = progress(source.pictures(), desc=f"looking at {Path(path).name}", unit="image", total=source.count)
    examined = list(parallel_map(partial(_examine, crop=crop, size=size, side=source.form.side), pictures))
    kept = [outcome for outcome, _ in examined if not outcome.rejection(size)]
    shapes = Counter(shape for _, shape in examined if shape)
    rejected = [outcome for outcome, _ in examined if outcome.rejection(size)]
    lines = [f"{path}: {source.form.name}, {len(examined):,} images"]
    if source.left_out:
        count = sum(source.left_out.values())
        lines.append(
            f"  and {count:,} others that are not of that form and would be left out ({source.left_out_kinds})"
        )
    lines += [f"  {width}×{height}: {count:,}" for (width, height), count in shapes.most_common(LISTED)]
    if len(shapes) > LISTED:
        lines.append(f"  and {len(shapes) - LISTED:,} more sizes")
    try:
        split = Counter(assign(kept, PublishedSplit(kind="published", validation=0.0), source.form.indexed))
        parts = ", ".join(f"{count:,} {part}" for part, count in sorted(split.items()))
        lines.append(f"published split: {parts}" if parts else "no published split")
    except UserError:
        lines.append("no published split")
    lines.append(f"would be rejected: {len(rejected):,}")
    lines += [f"  {outcome.name}: {outcome.rejection(size)}" for outcome in rejected[:LISTED]]
    if len(rejected) > LISTED:
        lines.append(f"  and {len(rejected) - LISTED:,} more")
    if rejected and source.form.side:
        lines.append(source.form_hint)
    return "\n".join(lines)


def _examine(
    picture: Picture, *, crop: images.Crop, size: int, side: tuple[int, int] | None
) -> tuple[Outcome, tuple[int, int] | None]:
    """The outcome for a picture; its width and height in pixels unless it is rejected."""
    outcome, _ = decode_at_sizes(picture, sizes=(size,), crop=crop, filter="area", side=side)
    if outcome.rejection(size):
        return outcome, None
    if isinstance(picture.data, np.ndarray):
        return outcome, (picture.data.shape[2], picture.data.shape[1])
    return outcome, images.shape(picture.data)
