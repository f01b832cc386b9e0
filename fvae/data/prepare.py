"""From a source to a prepared set: drawn portraits, or images as people have them, cropped and resized."""

from __future__ import annotations

import errno
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from fvae.data import hub, portraits, prepared
from fvae.data.fingerprint import source_digest
from fvae.data.journal import Journal, Outcome
from fvae.data.levels import coarse
from fvae.data.parallel import CHUNK_BYTES, parallel_map
from fvae.data.prepared import CHUNK, Entry, beside
from fvae.data.sources import Picture, Source
from fvae.data.splits import SPLITS, assign
from fvae.errors import UserError
from fvae.files import lock_folder
from fvae.params import Images, Portraits
from fvae.progress import progress

IDENTITY = "identity.txt"  # in the folder of a set that was made together with another and is not asked for yet
DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


def prepare_portraits(settings: Portraits, out: Path) -> None:
    """Draw the embedded data set: portraits 0, 1, …, first those of train, then validation, then test.

    Raises UserError where the disk or the memory is full, a process is killed, or another one prepares the same set.
    """
    splits = np.repeat(SPLITS, [settings.train, settings.validation, settings.test])
    entries = [Entry(f"portrait-{index}", "", split) for index, split in enumerate(splits)]

    bytes_each = 3 * settings.size**2
    rows = min(CHUNK, max(1, CHUNK_BYTES // bytes_each))
    batches = [range(start, min(start + rows, len(splits))) for start in range(0, len(splits), rows)]
    draw = partial(_drawn, settings=settings)

    def size(indices: range) -> int:
        return bytes_each * len(indices)

    def chunks() -> Iterator[np.ndarray]:
        with progress(total=len(splits), desc="drawing portraits", unit="image") as bar:
            for indices, (drawn, digests) in zip(batches, parallel_map(draw, batches, size, 1), strict=True):
                for index, digest in zip(indices, digests, strict=True):
                    entries[index].sha256 = digest
                yield drawn
                bar.update(len(indices))

    with _working_folder(out):
        origin = {"source_sha256": None, **settings.model_dump(mode="json")}
        prepared.write(out, entries, [], origin, settings.size, chunks())


def _drawn(indices: range, settings: Portraits) -> tuple[np.ndarray, list[str]]:
    """Some portraits, and the SHA-256 of each."""
    drawn = coarse(portraits.draw(indices, settings.size, settings.seed), settings.bits)
    return drawn, [_sha256(portrait.tobytes()) for portrait in drawn]


def prepare_images(settings: Images, out: Path, others: dict[int, Path] | None = None) -> None:
    """Crop and resize the images of a source; and in the same pass to other sizes, for other folders.

    What is made for another folder lies beside it until that folder is asked for. An interrupted pass continues. Byte
    duplicates are left out. Raises UserError where there is nothing to read, a split is empty, too much is rejected,
    the disk is full, or another process prepares the same set.
    """
    from fvae.data.decoding import decode_at_sizes  # with PyTorch, which portraits do not need

    path = hub.local(settings.path)
    source = Source(path, settings.form)
    if source.left_out:
        count = sum(source.left_out.values())
        left_out = f"{count:,} other images are left out ({source.left_out_kinds})"
        print(f"fvae: {path}: read as {source.form.name}; {left_out}", file=sys.stderr)
    digest = source_digest(path, {})

    def identity_without(*names: str) -> str:
        how = settings.model_dump(mode="json", exclude={"path", "size", *names})
        return _sha256(json.dumps([digest, how, code(), prepared.LIBRARIES]).encode())

    identity = identity_without()
    with _working_folder(out) as working:
        waiting = beside(out, "waiting")
        if (waiting / IDENTITY).exists() and (waiting / IDENTITY).read_text() == identity:
            (waiting / IDENTITY).unlink()
            prepared.move(waiting, out)
            return

        sizes = (settings.size, *(others or {}))
        # `split` and `max_rejected` change no pixel: an interrupted pass continues after they were changed.
        with Journal(working, sizes, identity_without("split", "max_rejected")) as journal:
            decode = partial(
                decode_at_sizes, sizes=sizes, crop=settings.crop, filter=settings.filter, side=source.form.side
            )
            pictures = remaining(source, settings.limit, len(journal.outcomes))
            for outcome, pixels in parallel_map(decode, pictures, partial(_bytes, sizes=sizes)):
                journal.add(outcome, pixels)
            origin = {"source_sha256": None if hub.fetched(settings.path) else digest}
            _write(out, journal, source, origin, settings)
            for size, other in (others or {}).items():
                folder = beside(other, "waiting")
                (folder / IDENTITY).unlink(missing_ok=True)
                with suppress(UserError):  # only of that size: it is raised again when that folder is asked for
                    _write(folder, journal, source, origin, settings.model_copy(update={"size": size}))
                    (folder / IDENTITY).write_text(identity)


def _write(folder: Path, journal: Journal, source: Source, origin: dict[str, str | None], settings: Images) -> None:
    """The set at one size. Raises UserError where a split is empty or too much is rejected."""
    path, size = source.container.path, settings.size
    rejected = [(outcome.name, reason) for outcome in journal.outcomes if (reason := outcome.rejection(size))]
    kept = [outcome for outcome in journal.outcomes if not outcome.rejection(size)]
    refuse_too_many(source, rejected, len(kept), settings.max_rejected)
    splits = assign(kept, settings.split, source.form.indexed)
    order, duplicates = arrange(kept, splits)
    for split in SPLITS:
        if split not in (splits[row] for row in order):
            raise UserError(f"{path}: no image falls in the {split} split; see data.split, or add images")
    entries = [Entry(kept[row].name, kept[row].sha256, splits[row]) for row in order]
    manifest = {
        "source": path.name,
        "form": source.form.name,
        **origin,
        "originals_sha256": _sha256(json.dumps(sorted((each.name, each.sha256) for each in kept)).encode()),
        "left_out": None if source.left_out is None else sum(source.left_out.values()),
        **settings.model_dump(mode="json", exclude={"path", "form"}),
    }
    rows = np.flatnonzero([not each.rejection(size) for each in journal.outcomes if not each.reason])[order]
    pixels = journal.rows(size)
    chunks = (coarse(pixels[rows[start : start + CHUNK]], settings.bits) for start in range(0, len(rows), CHUNK))
    prepared.write(folder, entries, sorted(rejected + duplicates), manifest, size, chunks)


def _bytes(picture: Picture, *, sizes: tuple[int, ...]) -> int:
    """The memory that a picture and its pixels at all sizes take, in bytes."""
    encoded = picture.data.nbytes if isinstance(picture.data, np.ndarray) else len(picture.data)
    return encoded + sum(3 * size * size for size in sizes)


def code() -> str:
    """A hash of the code that decides what a prepared set is."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return _sha256(json.dumps([[file.name, file.read_text("utf-8")] for file in files]).encode())


def remaining(source: Source, limit: int | None, done: int) -> Iterator[Picture]:
    """The pictures after the first `done`, with a progress bar."""
    total = min((count for count in (source.count, limit) if count is not None), default=None)
    pictures = islice(source.pictures(done), None if limit is None else max(0, limit - done))
    desc = f"preparing {source.container.path.name}"
    yield from progress(pictures, desc=desc, unit="image", initial=done, total=total)


def arrange(kept: list[Outcome], splits: list[str]) -> tuple[list[int], list[tuple[str, str]]]:
    """The rows in the order of splits and names, without byte duplicates; and the duplicates as rejections.

    Of several copies the one that stays is in test, or else in validation, so that nothing measured was trained on.
    """
    first: dict[str, int] = {}
    for row in sorted(range(len(kept)), key=lambda row: (-SPLITS.index(splits[row]), kept[row].name)):
        first.setdefault(kept[row].sha256, row)
    order = sorted(first.values(), key=lambda row: (SPLITS.index(splits[row]), kept[row].name))
    duplicates = [
        (outcome.name, f"duplicate of {kept[first[outcome.sha256]].name}")
        for row, outcome in enumerate(kept)
        if first[outcome.sha256] != row
    ]
    return order, duplicates


def refuse_too_many(source: Source, rejected: list[tuple[str, str]], kept: int, allowed: float) -> None:
    """Raise UserError where more than the allowed share of images cannot be used."""
    share = len(rejected) / (len(rejected) + kept)
    if share > allowed:
        examples = "; ".join(f"{name}: {reason}" for name, reason in rejected[:3])
        hint = f" ({source.form_hint})" if source.form.side else ""
        raise UserError(
            f"{source.container.path}: {len(rejected)} of {len(rejected) + kept} images rejected ({share:.1%}, allowed "
            f"are {allowed:.1%}: data.max_rejected): {examples}{hint}"
        )


@contextmanager
def _working_folder(out: Path) -> Iterator[Path]:
    """A folder beside a set's for one process at a time. It is removed at the end, and stays where work is left.

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
        with suppress(OSError):  # another process has just opened the lock's file in it
            working.rmdir()
    except MemoryError as error:
        raise UserError(f"{out}: the memory is full; make room and run it again to go on") from error
    except OSError as error:
        if error.errno in DISK_IS_FULL:
            raise UserError(f"{out.parent}: the disk is full; make room and run it again to go on") from error
        raise UserError(f"{error.filename or out.parent}: {error.strerror or error}; run it again to go on") from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
