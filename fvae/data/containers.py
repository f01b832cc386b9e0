"""The files of a folder tree, a zip or a tar, one after the other and never extracted to disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fvae.data.folder import files_below, is_hidden
from fvae.errors import UserError

COMPRESSED: dict[bytes, Callable[[Path], IO[bytes]]] = {  # by a file's first bytes
    b"\x1f\x8b": gzip.open,  # type: ignore[dict-item]
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
ZIP = b"PK\x03\x04"
CUT_OFF = "cut off or damaged: download it again"
ILLEGIBLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # control characters, and bytes that are not UTF-8


@dataclass
class File:
    """A file in a container; it must be opened before the next one is asked for."""

    name: str  # relative, with forward slashes; made legible
    size: int  # bytes
    open: Callable[[], IO[bytes]]
    problem: str | None = None  # why it must not be opened

    def __post_init__(self) -> None:
        self.name = ILLEGIBLE.sub(lambda match: match[0].encode("unicode_escape").decode(), self.name)

    @property
    def hidden(self) -> bool:
        """Whether it is something that an operating system left behind."""
        return is_hidden(self.name)


class Container:
    """A folder, an archive or a single file, recognised by what it is, not by its name.

    Raises UserError where it is not there or must not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with damage_as_user_error(path):
            self._read = _reader(path)

    def files(self) -> Iterator[File]:
        """All files but hidden ones, always in the same order. Raises UserError where the container is damaged."""
        with damage_as_user_error(self.path):
            yield from (file for file in self._read(self.path) if not file.hidden)

    @property
    def streamed(self) -> bool:
        """Whether its list of files is known only after reading all of it: a compressed tar."""
        return self._read is _tar and _opener(self.path) is not None


@contextmanager
def damage_as_user_error(path: Path) -> Iterator[None]:
    """A UserError in place of what libraries raise where a container cannot be read on."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{error.filename or path}: no such file or folder") from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        place, reason = (error.filename, error.strerror) if isinstance(error, OSError) else (None, error)
        raise UserError(f"{place or path}: damaged or unreadable: {reason or error}") from error


def _reader(path: Path) -> Callable[[Path], Iterator[File]]:
    """What reads a path."""
    if path.is_dir():
        return _folder
    with path.open("rb") as file:
        start = file.read(len(ZIP))
    if start == ZIP or zipfile.is_zipfile(path):
        return _zip
    return _tar if _opener(path) or tarfile.is_tarfile(path) else _single


def _folder(root: Path) -> Iterator[File]:
    for file in files_below(root):
        if file.stat is None:
            yield File(file.name, 0, io.BytesIO, "a link to nothing")
        else:
            yield File(file.name, file.stat.st_size, lambda path=Path(file.path): path.open("rb"))  # type: ignore[misc]


def _single(path: Path) -> Iterator[File]:
    yield File(path.name, path.stat().st_size, lambda: path.open("rb"))


def _zip(path: Path) -> Iterator[File]:
    if not zipfile.is_zipfile(path):  # its list of files is at its end
        raise zipfile.BadZipFile(CUT_OFF)
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            if info.is_dir():
                continue
            problem = _unsafe(info.filename)
            if info.flag_bits & 1:
                problem = "encrypted"
            elif info.external_attr >> 28 == 0xA:
                problem = "a link"
            yield File(info.filename, info.file_size, lambda info=info: archive.open(info), problem)  # type: ignore[misc]


def _tar(path: Path) -> Iterator[File]:
    with _unpacked(path) as archive:
        for member in archive:
            if member.isdir():
                continue
            problem = _unsafe(member.name)
            if not member.isfile():
                problem = "a link" if member.issym() or member.islnk() else "not a file"
            yield File(member.name, member.size, lambda member=member: _extracted(archive, member), problem)  # type: ignore[misc]


@contextmanager
def _unpacked(path: Path) -> Iterator[tarfile.TarFile]:
    """A tar, read to the end of its compression, where the checksum of all stands. Raises tarfile.ReadError."""
    opener = _opener(path)
    if opener is None:
        with tarfile.open(path, "r:", tarinfo=_Member) as archive:
            yield archive
        return
    with opener(path) as file:
        stream = _Stream(file)
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member) as archive:  # type: ignore[call-overload]
            yield archive
        while stream.read(2**20):
            pass


def _opener(path: Path) -> Callable[[Path], IO[bytes]] | None:
    """What decompresses a file; None for one that is not compressed."""
    with path.open("rb") as file:
        start = file.read(max(map(len, COMPRESSED)))
    return next((opener for magic, opener in COMPRESSED.items() if start.startswith(magic)), None)


class _Stream:
    """A decompressed file, of which damage is a tar's, not that of the member that is being read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def read(self, size: int) -> bytes:
        try:
            return self.file.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise tarfile.ReadError(f"{CUT_OFF} ({error})") from error


class _Member(tarfile.TarInfo):
    """A member of a tar that must end with two blocks of zeros: tarfile takes any damage for its end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Member:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                raise tarfile.ReadError(CUT_OFF) from None
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(CUT_OFF) from error


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    assert file is not None
    return file


def _unsafe(name: str) -> str | None:
    path = name.replace("\\", "/")
    return "its name leads out of the archive" if path.startswith("/") or ".." in path.split("/") else None
