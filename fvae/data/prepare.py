"""From a source to a prepared set: drawn portraits, or images as people have them, cropped and resized."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from fvae.data import hub, portraits, prepared
from fvae.data.ahead import mapped
from fvae.data.decoding import decoded
from fvae.data.fingerprint import source_digest
from fvae.data.journal import Journal, Line
from fvae.data.pixels import coarse
from fvae.data.prepared import CHUNK, Entry, beside
from fvae.data.sources import Picture, Source
from fvae.data.splits import SPLITS, assign
from fvae.errors import UserError
from fvae.files import lock_folder
from fvae.params import Images, Portraits
from fvae.progress import progress

IDENTITY = "identity.txt"  # of a set that waits to be asked for
FULL = (errno.ENOSPC, errno.EDQUOT)


def prepare_portraits(settings: Portraits, out: Path) -> None:
    """Draw the embedded data set: portraits 0, 1, …, first those of train, then validation, then test."""
    splits = np.repeat(SPLITS, [settings.train, settings.validation, settings.test])
    entries = [Entry(f"portrait-{index}", "", split) for index, split in enumerate(splits)]

    def chunks() -> Iterator[np.ndarray]:
        with progress(total=len(splits), desc="drawing portraits", unit="image") as bar:
            for start in range(0, len(splits), CHUNK):
                indices = np.arange(start, min(start + CHUNK, len(splits)))
                drawn = coarse(portraits.draw(indices, settings.size, settings.seed), settings.bits)
                for index, portrait in zip(indices, drawn, strict=True):
                    entries[index].sha256 = sha256(portrait.tobytes())
                yield drawn
                bar.update(len(indices))

    with _at_work(out):
        origin = {"source_sha256": None, **settings.model_dump(mode="json")}
        prepared.write(out, entries, [], origin, settings.size, chunks())


def prepare_images(settings: Images, out: Path, others: dict[int, Path] | None = None) -> None:
    """Crop and resize the images of a source; and in the same pass to other sizes, for other folders.

    What is made for other folders waits beside them until it is asked for. A pass that was killed goes on where it
    was. Byte duplicates are left out. Raises UserError where there is nothing to read, a split is empty, too much is
    rejected, the disk is full, or another process prepares the same set.
    """
    path = hub.local(settings.path)
    source = Source(path)
    digest = source_digest(path, {})
    recorded = None if hub.fetched(settings.path) else digest
    how = settings.model_dump(mode="json", exclude={"path", "size"})
    identity = sha256(json.dumps([digest, how, code(), prepared.LIBRARIES]).encode())
    with _at_work(out) as working:
        waiting = beside(out, "waiting")
        if (waiting / IDENTITY).exists() and (waiting / IDENTITY).read_text() == identity:
            (waiting / IDENTITY).unlink()
            prepared.move(waiting, out)
            return

        sizes = (settings.size, *(others or {}))
        with Journal(working, sizes, identity) as journal:
            treat = partial(decoded, sizes=sizes, crop=settings.crop, filter=settings.filter, side=source.form.side)
            weight = partial(_bytes, sizes=sizes)
            for line, pixels in mapped(treat, remaining(source, settings.limit, len(journal.lines)), weight):
                journal.add(line, pixels)
            _write(out, journal, source, recorded, settings)
            for size, other in (others or {}).items():
                folder = beside(other, "waiting")
                (folder / IDENTITY).unlink(missing_ok=True)
                with suppress(UserError):  # of that size alone: whoever asks for it is told
                    _write(folder, journal, source, recorded, settings.model_copy(update={"size": size}))
                    (folder / IDENTITY).write_text(identity)


def _write(folder: Path, journal: Journal, source: Source, source_sha256: str | None, settings: Images) -> None:
    """The set at one size. Raises UserError where a split is empty or too much is rejected."""
    path, size = source.container.path, settings.size
    rejected = [(line.name, reason) for line in journal.lines if (reason := line.rejection(size))]
    kept = [line for line in journal.lines if not line.rejection(size)]
    refuse_too_many(path, rejected, len(kept), settings.max_rejected)
    splits = assign(kept, settings.split, source.form.indexed)
    order, duplicates = arrange(kept, splits)
    for split in SPLITS:
        if split not in (splits[row] for row in order):
            raise UserError(f"{path}: no image falls in the {split} split; see data.split, or add images")
    entries = [Entry(kept[row].name, kept[row].sha256, splits[row]) for row in order]
    origin = {
        "source": path.name,
        "form": source.form.name,
        "source_sha256": source_sha256,
        "originals_sha256": sha256(json.dumps(sorted((line.name, line.sha256) for line in kept)).encode()),
        "left_out": source.left_out,
        **settings.model_dump(mode="json", exclude={"path"}),
    }
    rows = np.flatnonzero([not line.rejection(size) for line in journal.lines if not line.reason])[order]
    pixels = journal.rows(size)
    chunks = (coarse(pixels[rows[start : start + CHUNK]], settings.bits) for start in range(0, len(rows), CHUNK))
    prepared.write(folder, entries, sorted(rejected + duplicates), origin, size, chunks)


def _bytes(picture: Picture, *, sizes: tuple[int, ...]) -> int:
    """What a picture and its pixels at all sizes take."""
    encoded = picture.data.nbytes if isinstance(picture.data, np.ndarray) else len(picture.data)
    return encoded + sum(3 * size * size for size in sizes)


def code() -> str:
    """A hash of the code that decides what a prepared set is."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(json.dumps([[file.name, file.read_text("utf-8")] for file in files]).encode())


def remaining(source: Source, limit: int | None, done: int) -> Iterator[Picture]:
    """The pictures after those that are done, with a progress bar."""
    total = min((count for count in (source.count, limit) if count is not None), default=None)
    pictures = islice(source.pictures(done), None if limit is None else max(0, limit - done))
    desc = f"preparing {source.container.path.name}"
    yield from progress(pictures, desc=desc, unit="image", initial=done, total=total)


def arrange(kept: list[Line], splits: list[str]) -> tuple[list[int], list[tuple[str, str]]]:
    """The rows in the order of splits and names, without byte duplicates; and the duplicates as rejections.

    Of several the one that stays is in test, or else in validation, so that nothing measured was trained on.
    """
    first: dict[str, int] = {}
    for row in sorted(range(len(kept)), key=lambda row: (-SPLITS.index(splits[row]), kept[row].name)):
        first.setdefault(kept[row].sha256, row)
    order = sorted(first.values(), key=lambda row: (SPLITS.index(splits[row]), kept[row].name))
    duplicates = [
        (line.name, f"duplicate of {kept[first[line.sha256]].name}")
        for row, line in enumerate(kept)
        if first[line.sha256] != row
    ]
    return order, duplicates


def refuse_too_many(source: Path, rejected: list[tuple[str, str]], kept: int, allowed: float) -> None:
    """Stop where more than the allowed share of images cannot be used."""
    share = len(rejected) / (len(rejected) + kept)
    if share > allowed:
        examples = "; ".join(f"{name}: {reason}" for name, reason in rejected[:3])
        raise UserError(
            f"{source}: {len(rejected)} of {len(rejected) + kept} images rejected ({share:.1%}, allowed are "
            f"{allowed:.1%}: data.max_rejected): {examples}"
        )


@contextmanager
def _at_work(out: Path) -> Iterator[Path]:
    """A folder beside a set's, this process's alone; it stays where the work is not finished.

    Raises UserError where another process has it, and where the disk or the memory is full.
    """
    working = beside(out, "journal")
    try:
        claimed = lock_folder(working)
        yield working
        for file in working.iterdir():
            if file != Path(claimed.lock_file):
                file.unlink()
        Path(claimed.lock_file).unlink()
        with suppress(OSError):  # another process looked whether this one is at work
            working.rmdir()
    except MemoryError as error:
        raise UserError(f"{out}: the memory is full; make room and run it again to go on") from error
    except OSError as error:
        if error.errno in FULL:
            raise UserError(f"{out.parent}: the disk is full; make room and run it again to go on") from error
        raise UserError(f"{error.filename or out.parent}: {error.strerror or error}; run it again to go on") from error


def sha256(data: bytes) -> str:
    """The hash of some bytes."""
    return hashlib.sha256(data).hexdigest()
