"""The files of a folder tree, listed quickly: a set may have hundreds of thousands."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

NO_TARGET = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # what a link to nothing, or to itself, gives


class FileInFolder(NamedTuple):
    """A file, or a link to nothing, which has no `stat`."""

    name: str  # relative to the folder, with forward slashes between folders
    path: str
    stat: os.stat_result | None


def is_hidden(name: str) -> bool:
    """Whether a relative name is that of a hidden file, or of something that macOS leaves in archives."""
    return any((part[:1] == "." and part not in (".", "..")) or part == "__MACOSX" for part in name.split("/"))


def files_below(root: str | os.PathLike[str]) -> Iterator[FileInFolder]:
    """All files in a folder and its subfolders, without hidden ones, in the order of the parts of their names.

    Links are followed, and each folder is read once, however many links lead to it. Raises OSError.
    """
    return _files_below(os.fspath(root), "", set())


def _files_below(folder: str, prefix: str, seen: set[tuple[int, int]]) -> Iterator[FileInFolder]:
    state = os.stat(folder)
    if (state.st_dev, state.st_ino) in seen:
        return
    seen.add((state.st_dev, state.st_ino))
    with os.scandir(folder) as scanned:
        entries = sorted(scanned, key=attrgetter("name"))
    for entry in entries:
        name = entry.name
        if name[0] == "." or name == "__MACOSX" or ("\\" in name and is_hidden(name.replace("\\", "/"))):
            continue
        kind, stat = _look_at(entry)
        if kind == "file":
            yield FileInFolder(prefix + name, entry.path, stat)
        elif kind == "folder":
            yield from _files_below(entry.path, f"{prefix}{name}/", seen)


def _look_at(entry: os.DirEntry[str]) -> tuple[str, os.stat_result | None]:
    """Whether it is a file, a folder or something else, such as a pipe. A link to nothing is a file without a stat."""
    try:
        if entry.is_file():
            return "file", entry.stat()
        if entry.is_dir():
            return "folder", None
        dead = entry.is_symlink() and not os.path.exists(entry.path)
    except OSError as error:
        if error.errno not in NO_TARGET:
            raise
        dead = True
    return "file" if dead else "other", None
