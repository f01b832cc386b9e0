"""The images in a folder tree, a zip or a tar, read one after the other and never extracted to disk."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fvae.errors import UserError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image; what operating systems leave behind is not."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def read(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every image in a folder, zip or tar, recognised by what the file is, not by its name.

    Names are relative, with forward slashes. Raises UserError where there is nothing to read, or it is damaged.
    """
    if not source.exists():
        raise UserError(f"{source}: no such file or folder")
    if source.is_dir():
        members = _folder(source)
    elif zipfile.is_zipfile(source):
        members = _zip(source)
    elif tarfile.is_tarfile(source):
        members = _tar(source)
    else:
        raise UserError(f"{source}: neither a folder, nor a zip or tar archive (or a damaged one)")
    found = False
    try:
        for member in members:
            found = True
            yield member
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise UserError(f"{source}: damaged or unreadable: {error}") from error
    if not found:
        raise UserError(f"{source}: no images in it ({', '.join(sorted(SUFFIXES))})")


def _folder(source: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if is_image(name) and path.is_file():
            yield name, path.read_bytes()


def _zip(source: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(source) as archive:
        for name in sorted(archive.namelist()):
            if is_image(name):
                yield name, archive.read(name)


def _tar(source: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(source, "r|*") as archive:
        for member in archive:
            if member.isfile() and is_image(member.name):
                file = archive.extractfile(member)
                assert file is not None
                yield member.name, file.read()
