"""The files of a folder tree, a zip or a tar, one after the other and never extracted to disk."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from fvae.errors import UserError


@dataclass
class File:
    """A file in a container; it must be opened before the next one is asked for."""

    name: str  # relative, with forward slashes
    size: int  # bytes
    open: Callable[[], IO[bytes]]
    problem: str | None = None  # why it must not be opened

    @property
    def hidden(self) -> bool:
        """Whether it is something that an operating system left behind."""
        parts = self.name.split("/")
        return any((part[:1] == "." and part not in ("..", ".")) or part == "__MACOSX" for part in parts)


class Container:
    """A folder or an archive, recognised by what it is, not by its name. Raises UserError where it is neither."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise UserError(f"{path}: no such file or folder")
        self.path = path
        self._read: Callable[[Path], Iterator[File]]
        if path.is_dir():
            self._read = _folder
        elif zipfile.is_zipfile(path):
            self._read = _zip
        elif tarfile.is_tarfile(path):
            self._read = _tar
        else:
            self._read = _single

    def files(self) -> Iterator[File]:
        """All files but hidden ones, always in the same order. Raises UserError where the container is damaged."""
        with saying_damage(self.path):
            yield from (file for file in self._read(self.path) if not file.hidden)

    @property
    def streamed(self) -> bool:
        """Whether its list of files is known only after reading all of it: a compressed tar."""
        return self._read is _tar and _compressed(self.path)

    def fingerprint(self) -> str:
        """A hash that changes when the files do, as far as sizes and times tell."""
        if self.path.is_dir():
            state = [[file.name, file.size, (self.path / file.name).lstat().st_mtime_ns] for file in self.files()]
        else:
            state = [[self.path.name, self.path.stat().st_size, self.path.stat().st_mtime_ns]]
        return hashlib.sha256(json.dumps(state).encode()).hexdigest()


@contextmanager
def saying_damage(path: Path) -> Iterator[None]:
    """A UserError in place of what libraries raise where a container cannot be read on."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise UserError(f"{path}: damaged or unreadable: {error}") from error


def _folder(root: Path) -> Iterator[File]:
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file():
            yield File(name, path.stat().st_size, lambda path=path: path.open("rb"))  # type: ignore[misc]
        elif path.is_symlink() and not path.exists():
            yield File(name, 0, io.BytesIO, "a link to nothing")


def _single(path: Path) -> Iterator[File]:
    yield File(path.name, path.stat().st_size, lambda: path.open("rb"))


def _zip(path: Path) -> Iterator[File]:
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
    with tarfile.open(path, "r|*" if _compressed(path) else "r:") as archive:
        for member in archive:
            if member.isdir():
                continue
            problem = _unsafe(member.name)
            if not member.isfile():
                problem = "a link" if member.issym() or member.islnk() else "not a file"
            yield File(member.name, member.size, lambda member=member: _extracted(archive, member), problem)  # type: ignore[misc]


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    assert file is not None
    return file


def _compressed(path: Path) -> bool:
    try:
        with closing(tarfile.open(path, "r:")):
            return False
    except tarfile.ReadError:
        return True


def _unsafe(name: str) -> str | None:
    path = PurePosixPath(name.replace("\\", "/"))
    return "its name leads out of the archive" if path.is_absolute() or ".." in path.parts else None
