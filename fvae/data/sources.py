"""The images of a folder or an archive, in whichever of the known forms it is."""

from __future__ import annotations

import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np

from fvae.data.containers import LFS_POINTER, LFS_PROBLEM, Container, File, Unreadable, damage_as_user_error
from fvae.data.forms import (
    ARCHIVES,
    CELEBA_HQ,
    DECODED,
    FORMS,
    IMAGE_START_BYTES,
    IMAGE_STARTS,
    IMAGE_SUFFIXES,
    OTHER_IMAGES,
    PLAIN,
    Form,
    suffix_of,
)
from fvae.data.hub import missing_source
from fvae.data.partition import LISTS, find_list, read_list
from fvae.data.records import Damaged, parquet, tfrecords
from fvae.errors import UserError

MAX_FILE = 2**28  # bytes of a file that is one image
POINTER = 2**10  # bytes; a Git LFS pointer is smaller
LISTED = 3  # names in a message
RECORDS: dict[str, Callable[[IO[bytes]], Iterator[bytes | np.ndarray]]] = {".tfrecords": tfrecords, ".parquet": parquet}
PARTS = {"train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation"}
PARTS |= {"test": "test", "testing": "test"}


@dataclass
class Picture:
    """An image as it lies in a source: encoded bytes or pixels, or why there is neither."""

    name: str
    data: bytes | np.ndarray  # a file's content, or (3, H, W) uint8
    index: int | None = None  # CelebA-HQ's
    part: str | None = None  # the split that the source itself puts it in
    problem: str | None = None


class Source:
    """The images of a folder or an archive.

    `form` is "auto", which recognises the form by the files' names, or "images", which reads all images as they are.
    Raises UserError where the path is missing, holds no image, or is damaged.
    """

    def __init__(self, path: Path, form: Literal["auto", "images"] = "auto") -> None:
        packed = path / "img_align_celeba.zip"  # torchvision's folder before it is unpacked
        with damage_as_user_error(path):
            if not path.exists():
                raise UserError(missing_source(path))
            unpack = packed.is_file() and not packed.with_suffix("").is_dir()
        self.container = Container(packed if unpack else path)
        self.root = ARCHIVES.sub("", self.container.path.resolve().name)
        self.first = 0  # the index of CelebA-HQ's first image
        self.parts = _published_list(path)
        names = self._list_names(FORMS if form == "auto" else (PLAIN,))
        self.form, of_form = self._recognise(names, FORMS if form == "auto" else (PLAIN,))
        # The highest of the resolutions of tfrecords, as a power of two.
        self.log2 = max((match["log2"] for match in of_form if "log2" in match.groupdict()), default=None)
        self._count(names, {match.string for match in of_form})

    @property
    def left_out_kinds(self) -> str:
        """How many images are left out, by suffix, such as "3 .tga, 2 no suffix"."""
        return ", ".join(f"{count:,} {suffix}" for suffix, count in (self.left_out or Counter()).most_common())

    @property
    def form_hint(self) -> str:
        """What to do where a set is taken for another because of its names."""
        return f"data.form: it is read as {self.form.name}; if it is another set, say form: images, to read any images"

    def _full(self, name: str) -> str:
        """A name under its container's, for a user may name the innermost folder, or have packed it."""
        return f"{self.root}/{name}"

    def _list_names(self, forms: tuple[Form, ...]) -> list[str]:
        """The full names of all files; of a compressed tar only as many as are needed to recognise some forms.

        Notes which files are images without a suffix, and reads the list of published splits that lies among the files.
        """
        names: list[str] = []
        lists: dict[str, bytes] = {}
        self.without_suffix: set[str] = set()
        self.complete = True
        for file in self.container.files():
            names.append(self._full(file.name))
            base = os.path.basename(file.name)
            if base in LISTS and not self.parts and not self.container.streamed:
                lists[file.name] = self._content(file)
            elif not suffix_of(base) and _starts_as_image(file):
                self.without_suffix.add(names[-1])
            if self.container.streamed and any(form.settled and form.pattern.search(names[-1]) for form in forms):
                self.complete = False
                break
        if lists:
            name = min(lists, key=lambda name: (name.count("/"), LISTS.index(os.path.basename(name)), name))
            with damage_as_user_error(self.container.path / name):
                self.parts = read_list(f"{self.container.path}/{name}", lists[name])
        return names

    def _content(self, file: File) -> bytes:
        try:
            with file.opened() as content:
                return content.read()
        except Unreadable as error:
            raise UserError(f"{self.container.path}: {file.name}: {error}") from error

    def _recognise(self, names: list[str], forms: tuple[Form, ...]) -> tuple[Form, list[re.Match[str]]]:
        """The form, and the matches of its pattern."""
        for form in forms:
            found = [match for match in map(form.pattern.search, names) if match]
            if found or (form is PLAIN and self.without_suffix):
                if form.indexed:
                    indices = {int(match["index"]) for match in found}
                    self.first = int(CELEBA_HQ in indices and 0 not in indices)
                return form, found
        raise self._nothing(names)

    def _count(self, names: list[str], of_form: set[str]) -> None:
        """How many images are read and, by suffix, how many are left out; None where not all names are known."""
        self.count: int | None = None
        self.left_out: Counter[str] | None = None
        if not self.complete:
            return
        read = of_form | (self.without_suffix if self.form is PLAIN else set())
        if not any(suffix_of(name) in RECORDS for name in of_form):
            self.count = len(read)
        images = IMAGE_SUFFIXES | OTHER_IMAGES
        self.left_out = Counter(
            suffix_of(name) or "no suffix"
            for name in names
            if name not in read and (suffix_of(name) in images or name in self.without_suffix)
        )

    def _nothing(self, names: list[str]) -> UserError:
        """What to say of a source without images."""
        path = self.container.path
        others = Counter(suffix for name in names if (suffix := suffix_of(name)) in OTHER_IMAGES)
        archives = [name.removeprefix(f"{self.root}/") for name in names if ARCHIVES.search(name)]
        if others:
            kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in others.most_common())
            return UserError(f"{path}: no images in it that are read, but {kinds}: convert them to PNG or JPEG")
        if archives == [path.name] and path.is_file():
            return UserError(f"{path}: neither a zip nor a tar, or an empty one: download it again")
        if archives:
            listed = ", ".join(archives[:LISTED]) + (", …" if len(archives) > LISTED else "")
            return UserError(f"{path}: no images in it, but archives ({listed}): unpack them, or name one of them")
        suffixes = ", ".join(sorted({*DECODED, ".npy", *RECORDS}))
        return UserError(f"{path}: no images in it; put some there ({suffixes})")

    def pictures(self, after: int = 0) -> Iterator[Picture]:
        """All pictures after the first `after`, always in the same order. Raises UserError where there is none."""
        empty = not after
        for file in self.container.files():
            full = self._full(file.name)
            match = self.form.pattern.search(full)
            groups = match.groupdict() if match else {}
            if groups.get("log2") != self.log2 or not (match or (self.form is PLAIN and full in self.without_suffix)):
                continue
            if after and suffix_of(file.name) not in RECORDS:
                after -= 1  # without reading it
                continue
            part = PARTS.get((groups.get("part") or "").lower()) or self.parts.get(os.path.basename(file.name))
            with damage_as_user_error(self.container.path):
                for picture in self._expand(file):
                    if after:
                        after -= 1
                        continue
                    picture.index = int(groups["index"]) - self.first if "index" in groups else None
                    picture.part = part
                    empty = False
                    yield picture
        if empty:
            raise self._nothing([])

    def _expand(self, file: File) -> Iterator[Picture]:
        """The pictures in a file: itself, or its records, of which none may be damaged."""
        suffix = suffix_of(file.name)
        if suffix not in RECORDS:
            yield _whole(file)
            return
        try:
            with file.opened() as content:
                # What is small is read at once, to see a pointer; parquet is read from its end.
                if file.size < POINTER or (suffix == ".parquet" and self.container.streamed):
                    content = _in_memory(content)
                yield from (Picture(f"{file.name}#{row}", image) for row, image in enumerate(RECORDS[suffix](content)))
        except (Damaged, Unreadable) as error:
            raise UserError(f"{self.container.path}: {file.name}: {error}") from error


def _starts_as_image(file: File) -> bool:
    try:
        with file.opened() as content:
            return IMAGE_STARTS.match(content.read(IMAGE_START_BYTES)) is not None
    except Unreadable:
        return False


def _in_memory(content: IO[bytes]) -> IO[bytes]:
    """A file's content at once. Raises Damaged where it is a pointer of Git LFS."""
    data = content.read()
    if data.startswith(LFS_POINTER):
        raise Damaged(LFS_PROBLEM)
    return io.BytesIO(data)


def _whole(file: File) -> Picture:
    """A file that is one picture."""
    if not file.problem and file.size > MAX_FILE:
        return Picture(file.name, b"", problem=f"a file of {file.size / 2**20:,.0f} MiB")
    try:
        with file.opened() as content:
            data = content.read()
    except Unreadable as error:
        return Picture(file.name, b"", problem=str(error))
    if data.startswith(LFS_POINTER):
        return Picture(file.name, b"", problem=LFS_PROBLEM)
    return _array(file.name, data) if suffix_of(file.name) == ".npy" else Picture(file.name, data)


def _array(name: str, data: bytes) -> Picture:
    """PGGAN's (1, 3, H, W) uint8."""
    try:
        pixels = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except Exception:  # NumPy raises many kinds, MemoryError where a header claims more than there can be
        return Picture(name, b"", problem="not an array" if data else "empty file")
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[:2] != (1, 3):
        return Picture(name, b"", problem=f"an array of {pixels.dtype} {pixels.shape}, not of uint8 (1, 3, H, W)")
    return Picture(name, pixels[0])


def _published_list(path: Path) -> dict[str, str]:
    """The published splits by file name, from the list in CelebA's folder or beside it. Raises UserError."""
    with damage_as_user_error(path):
        file = find_list(path)
    if file is None:
        return {}
    with damage_as_user_error(file):
        return read_list(str(file), file.read_bytes())
