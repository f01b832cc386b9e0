"""The files of a folder tree, listed quickly."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass

NO_TARGET = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # what a link to nothing, or to itself, gives


@dataclass(frozen=True)
class FileInFolder:
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
    return iter(sorted(_files_below(os.fspath(root)), key=lambda file: file.name.split("/")))


def _files_below(root: str) -> Iterator[FileInFolder]:
    seen: set[tuple[int, int]] = set()
    waiting = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        state = os.stat(folder)
        if (state.st_dev, state.st_ino) in seen:
            continue
        seen.add((state.st_dev, state.st_ino))
        folders = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_hidden(entry.name.replace("\\", "/")):
                    continue
                if _is_folder(entry):
                    folders.append(entry.name)
                elif (file := _file(prefix, entry)) is not None:
                    yield file
        waiting += [(f"{prefix}{name}/", os.path.join(folder, name)) for name in sorted(folders, reverse=True)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _file(prefix: str, entry: os.DirEntry[str]) -> FileInFolder | None:
    """A regular file or a link to nothing; None for a pipe, a socket or a device."""
    try:
        state = entry.stat() if entry.is_file() else None
        if state is None and (not entry.is_symlink() or os.path.exists(entry.path)):
            return None
    except OSError as error:
        if error.errno not in NO_TARGET:
            raise
        state = None
    return FileInFolder(prefix + entry.name, entry.path, state)
