"""The files of a folder, a zip or a tar, one after the other; nothing is extracted to the disk."""

from __future__ import annotations

import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from fvae.data import tars
from fvae.data.folder import files_below, is_hidden
from fvae.errors import UserError

ZIP = b"PK\x03\x04"
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # control characters, and bytes that are not UTF-8
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)  # that zipfile reads
ZIP_METHOD_NAMES = {9: "deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}
ENCRYPTED = 0x1  # a flag of a file in a zip
LINK = 0xA  # the type of a file in a zip, in the highest bits of its attributes
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
LFS_PROBLEM = "a Git LFS pointer in place of the file: run git lfs pull"
WEB_PAGE = "a web page, not an archive: the download failed"
REPACK = "is not read: unpack it and name the folder, or pack the files as zip or tar"
NOT_READ = {  # files by their first bytes
    b"7z\xbc\xaf\x27\x1c": f"a 7z archive {REPACK}",
    b"Rar!\x1a\x07": f"a RAR archive {REPACK}",
    b"\x28\xb5\x2f\xfd": f"a file compressed by Zstandard {REPACK}",
    b"\x04\x22\x4d\x18": f"a file compressed by LZ4 {REPACK}",
    b"\x1f\x9d": f"a file compressed by compress (.Z) {REPACK}",
    LFS_POINTER: LFS_PROBLEM,
    b"<!DOCTYPE html": WEB_PAGE,
    b"<!doctype html": WEB_PAGE,
    b"<html": WEB_PAGE,
}


class Unreadable(Exception):
    """A file in a container cannot be read, and why; the container itself can be read on."""


@dataclass
class File:
    """A file in a container; it must be opened before the next one is asked for."""

    # Relative; with forward slashes, also where a program for Windows wrote others; without control characters.
    name: str
    size: int  # bytes
    open: Callable[[], IO[bytes]]
    problem: str | None = None  # why it must not be opened

    def __post_init__(self) -> None:
        forward = self.name.replace("\\", "/")
        self.name = CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), forward)

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The content. Raises Unreadable where this file must not or cannot be read."""
        if self.problem:
            raise Unreadable(self.problem)
        try:
            with self.open() as stream:
                yield stream
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError) as error:
            raise Unreadable(f"cannot be read: {error or tars.CUT_OFF}") from error
        except OSError as error:  # that of bz2 for damaged data has no number
            if error.errno is not None and not isinstance(error, PermissionError):
                raise
            raise Unreadable(f"cannot be read: {error}") from error


class Container:
    """A folder, an archive or a single file, recognised by its content, not by its name.

    Raises UserError where it is missing, must not be read, or is of a kind that is not read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with damage_as_user_error(path):
            self._read = _reader(path)

    def files(self) -> Iterator[File]:
        """All files but hidden ones, always in the same order. Raises UserError where the container is damaged."""
        with damage_as_user_error(self.path):
            yield from (file for file in self._read(self.path) if not is_hidden(file.name))

    @property
    def streamed(self) -> bool:
        """Whether its list of files is known only after reading all of it: a compressed tar."""
        return self._read is _tar and tars.decompressor(self.path) is not None


@contextmanager
def damage_as_user_error(path: Path) -> Iterator[None]:
    """Turn what libraries raise for a container that is missing, closed or damaged into a UserError of one line."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{error.filename or path}: no such file or folder") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        place, reason = (error.filename, error.strerror) if isinstance(error, OSError) else (None, error)
        raise UserError(f"{place or path}: damaged or unreadable: {reason or error}") from error


def _reader(path: Path) -> Callable[[Path], Iterator[File]]:
    """The function that reads a path. Raises UserError for a kind of archive that is not read."""
    if path.is_dir():
        return _folder
    with path.open("rb") as file:
        start = file.read(max(map(len, NOT_READ)))
    for magic, problem in NOT_READ.items():
        if start.startswith(magic):
            raise UserError(f"{path}: {problem}")
    if start.startswith(ZIP) or zipfile.is_zipfile(path):
        return _zip
    return _tar if tars.decompressor(path) or tarfile.is_tarfile(path) else _single


def _folder(root: Path) -> Iterator[File]:
    for file in files_below(root):
        if file.stat is None:
            yield File(file.name, 0, io.BytesIO, "a link to nothing")
        else:
            yield File(file.name, file.stat.st_size, partial(_open, Path(file.path)))


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _single(path: Path) -> Iterator[File]:
    yield File(path.name, path.stat().st_size, partial(_open, path))


def _zip(path: Path) -> Iterator[File]:
    if not zipfile.is_zipfile(path):  # its list of files is at its end
        raise zipfile.BadZipFile(tars.CUT_OFF)
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename.replace("\\", "/")):
            if not info.filename.endswith(("/", "\\")):
                yield File(info.filename, info.file_size, partial(archive.open, info), _zip_problem(info))


def _zip_problem(info: zipfile.ZipInfo) -> str | None:
    """Why a file in a zip must not be opened."""
    if info.flag_bits & ENCRYPTED:
        return "encrypted"
    if info.external_attr >> 28 == LINK:
        return "a link"
    if info.compress_type not in ZIP_METHODS:
        method = ZIP_METHOD_NAMES.get(info.compress_type, f"method {info.compress_type}")
        return f"compressed by {method}, which Python does not read: unpack the zip and name the folder"
    return _unsafe(info.filename)


def _tar(path: Path) -> Iterator[File]:
    with tars.opened(path) as archive:
        for member in archive:
            if not member.isdir():
                problem = None if member.isfile() else "a link" if member.issym() or member.islnk() else "not a file"
                content = partial(tars.extracted, archive, member)
                yield File(member.name, member.size, content, problem or _unsafe(member.name))


def _unsafe(name: str) -> str | None:
    path = name.replace("\\", "/")
    return "its name leads out of the archive" if path.startswith("/") or ".." in path.split("/") else None
