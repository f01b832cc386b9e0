"""A digest of raw data, by which a change of it is noticed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from fvae.data.containers import damage_as_user_error
from fvae.data.folder import FileInFolder, files_below
from fvae.data.hub import missing_source
from fvae.data.partition import find_list
from fvae.errors import UserError
from fvae.progress import progress

LARGE = 2**30  # bytes from which reading shows progress
READ = 2**20  # bytes read at once


def source_digest(path: str | Path, cache: dict[str, str]) -> str:
    """The SHA-256 of a source, in hexadecimal; it changes exactly when names or bytes change, never with times.

    Of an archive it is the SHA-256 of its bytes; of a folder that of the names and bytes of all files in it but hidden
    ones. A list of CelebA's splits beside the source counts as one of its files.

    `cache` holds digests by the names, sizes and times of a source's files. Where these are known no content is read;
    otherwise the new digest is added, in place of an older one of the same source.
    Raises UserError where the source is missing or cannot be read.
    """
    path = Path(path)
    with damage_as_user_error(path):
        if not path.exists():
            raise UserError(missing_source(path))
        key = f"{_stat_hash(path)} {path}"
        if key not in cache:
            digest = _content_hash(path)
            for old in [old for old in cache if old.partition(" ")[2] == str(path)]:
                del cache[old]
            cache[key] = digest
    return cache[key]


def _files(path: Path) -> Iterator[FileInFolder]:
    """The files of a source, and the list of splits beside it. Raises OSError."""
    if path.is_dir():
        yield from files_below(path)
    else:
        yield FileInFolder("", str(path), path.stat())
    splits = find_list(path)
    if splits is not None and splits.parent != path:
        yield FileInFolder(f"../{splits.name}", str(splits), splits.stat())


def _stat_hash(path: Path) -> str:
    """A hash of names, sizes and times, for which no file is opened. Raises OSError."""
    # The time of the last change of any kind, unlike that of the last writing, cannot be set by a program.
    lines = [
        f"{name}\0{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}\n" if stat else f"{name}\0\n"
        for name, _, stat in _files(path)
    ]
    return hashlib.sha256(os.fsencode("".join(lines))).hexdigest()


def _content_hash(path: Path) -> str:
    """A hash of names and contents. Raises OSError."""
    files = list(_files(path))
    size = sum(file.stat.st_size for file in files if file.stat)
    with progress(
        total=size, desc=f"reading {path.name}", unit="B", unit_scale=True, unit_divisor=1024, disable=size < LARGE
    ) as bar:
        hashes = [(file.name, _file_hash(file, bar) if file.stat else None) for file in files]
    if len(files) == 1 and path.is_file():
        return str(hashes[0][1])
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()


def _file_hash(file: FileInFolder, bar: progress) -> str:
    digest = hashlib.sha256()
    with open(file.path, "rb", buffering=0) as opened:
        while block := opened.read(READ):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()
