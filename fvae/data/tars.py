"""Tars, compressed or not, whose damage is told: tarfile takes a damaged header for the end of the archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

DECOMPRESSORS: dict[bytes, Callable[[Path], IO[bytes]]] = {  # by a file's first bytes
    b"\x1f\x8b": gzip.open,  # type: ignore[dict-item]
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
CUT_OFF = "cut off or damaged: download it again"
READ = 2**20  # bytes read at once


def decompressor(path: Path) -> Callable[[Path], IO[bytes]] | None:
    """The function that opens a compressed file; None for a file that is not compressed. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(max(map(len, DECOMPRESSORS)))
    return next((opener for magic, opener in DECOMPRESSORS.items() if start.startswith(magic)), None)


@contextmanager
def opened(path: Path) -> Iterator[tarfile.TarFile]:
    """A tar to be read from its first to its last member. Raises tarfile.TarError where it is damaged."""
    decompress = decompressor(path)
    with (decompress or Path.open)(path, mode="rb") as file:  # type: ignore[call-arg]
        stream = file if decompress is None else _Decompressed(file)
        mode = "r:" if decompress is None else "r|"
        with tarfile.open(fileobj=stream, mode=mode, tarinfo=_Member) as archive:  # type: ignore[call-overload]
            yield archive
        while block := stream.read(READ):  # to the end, where a compressed file has its checksum
            if block.strip(b"\0"):
                raise tarfile.ReadError("data after its end: damaged, or several tars in one file; unpack it")


def extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    """The content of a member that is a file; in a compressed tar it cannot be read backwards."""
    file = archive.extractfile(member)
    assert file is not None
    return file


class _Decompressed:
    """A decompressed file whose errors are those of the tar in it, not of the member that is being read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def read(self, size: int) -> bytes:
        try:
            return self.file.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise tarfile.ReadError(f"{CUT_OFF} ({error})") from error


class _Member(tarfile.TarInfo):
    """A member whose header must not be damaged: only a block of zeros ends a tar."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf == bytes(tarfile.BLOCKSIZE):
                raise
            raise tarfile.ReadError(CUT_OFF) from error
