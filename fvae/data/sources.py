"""What a user has: one of the forms in which people have faces, recognised by the names in it, and its pictures."""

from __future__ import annotations

import io
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from fvae.data.containers import Container, File, damage_as_user_error
from fvae.data.hub import missing_source
from fvae.data.partition import find_list, read_list
from fvae.data.records import Damaged, parquet, tfrecords
from fvae.errors import UserError

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
SUFFIXES |= {".heic", ".avif"}
ARCHIVE = re.compile(r"\.(?:zip|tar|tgz|tbz2?|txz|tar\.\w+)$", re.IGNORECASE)
LARGEST = 2**28  # bytes of a picture's file
PARTS = {"train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation"}
PARTS |= {"test": "test", "testing": "test"}
RECORDS: dict[str, Callable[[IO[bytes]], Iterator[bytes | np.ndarray]]] = {".tfrecords": tfrecords, ".parquet": parquet}
IMAGE = r"\.(?:jpe?g|png)$"
IMAGES = 30_000  # of CelebA-HQ: the last one's index where the first is 1


@dataclass(frozen=True)
class Form:
    """A form of data: `pattern` finds its files' names, and in them the index of an image and its split."""

    name: str
    pattern: re.Pattern[str]
    side: tuple[int, int] | None = None  # width and height of every image, where they are known
    indexed: bool = False  # whether the index is CelebA-HQ's

    @property
    def settled(self) -> bool:
        """Whether one name is enough: no other form is more particular, and nothing depends on all names."""
        return not self.indexed and self.side is not None


def _form(name: str, pattern: str, side: tuple[int, int] | None = None, indexed: bool = False) -> Form:
    return Form(name, re.compile(pattern, re.IGNORECASE), side, indexed)


FORMS = (  # the first that any name matches
    _form("CelebAMask-HQ", r"(?:^|/)CelebA-HQ-img/(?P<index>\d{1,5})\.jpg$", (1024, 1024), indexed=True),
    _form("CelebA-HQ, PGGAN's arrays", r"(?:^|/)imgHQ(?P<index>\d{5})\.npy$", (1024, 1024), indexed=True),
    _form("Glow's tfrecords", r"(?:^|/)(?P<part>train|validation)/[^/]*-r(?P<log2>\d\d)-s-\d+-of-\d+\.tfrecords$"),
    _form("PGGAN's tfrecords", r"(?:^|/)[^/]*-r(?P<log2>\d\d)\.tfrecords$"),  # shuffled when they were written
    *(
        _form("CelebA-HQ, TFDS's tar", rf"(?:^|/)data{n}x{n}/(?P<index>\d{{5}})" + IMAGE, (n, n), indexed=True)
        for n in (1024, 512, 256, 128)
    ),
    _form("CelebA-HQ, Kaggle's", r"(?:^|/)celeba_hq_256/(?P<index>\d{5})" + IMAGE, (256, 256), indexed=True),
    _form("CelebA, aligned", r"(?:^|/)img_align_celeba/(?P<index>\d{6})\.jpg$", (178, 218)),
    _form("FFHQ's thumbnails", r"(?:^|/)thumbnails128x128/(?:\d{5}/)?(?P<index>\d{5})\.png$", (128, 128)),
    _form("Labelled Faces in the Wild", r"(?:^|/)lfw[^/]*/[^/]+/[^/]+_\d{4}\.jpg$", (250, 250)),
    _form("parquet", r"(?:^|/)(?:(?P<part>[a-z]+)-)?[^/]*\.parquet$"),
    _form("images", r"\.(?:" + "|".join(sorted(suffix[1:] for suffix in SUFFIXES)) + r")$"),
)


@dataclass
class Picture:
    """An image as it lies in a source: encoded bytes or pixels, or why there is neither."""

    name: str
    data: bytes | np.ndarray  # a file's content, or (3, H, W) uint8
    index: int | None = None  # CelebA-HQ's
    part: str | None = None  # the split that the source itself puts it in
    problem: str | None = None


class Source:
    """The pictures of a folder or an archive.

    Raises UserError where there is nothing, no picture, or where the container is damaged.
    """

    def __init__(self, path: Path) -> None:
        packed = path / "img_align_celeba.zip"  # torchvision's folder before it is unpacked
        with damage_as_user_error(path):
            if not path.exists():
                raise UserError(missing_source(path))
            unpack = packed.is_file() and not packed.with_suffix("").is_dir()
        self.container = Container(packed if unpack else path)
        self.root = ARCHIVE.sub("", self.container.path.resolve().name)
        self.count: int | None = None  # of pictures, where it is known from the names
        self.left_out: int | None = None  # of images that are not of the form, likewise
        self.first = 0  # the index of CelebA-HQ's first image
        self.form, self.log2 = self._recognise()
        self.parts = _celeba_partition(path)

    def _full(self, name: str) -> str:
        """A name under its container's, for a user may name the innermost folder, or have packed it."""
        return f"{self.root}/{name}"

    def _recognise(self) -> tuple[Form, str | None]:
        """The form, and of tfrecords in several resolutions the highest."""
        names: list[str] = []
        early = False  # where all of it had to be decompressed for the other names
        for file in self.container.files():
            names.append(self._full(file.name))
            if self.container.streamed and any(form.settled and form.pattern.search(names[-1]) for form in FORMS):
                early = True
                break
        for form in FORMS:
            if found := [match for match in map(form.pattern.search, names) if match]:
                if not early:
                    of_form = {match.string for match in found}
                    self.left_out = sum(name not in of_form and _suffix(name) in SUFFIXES for name in names)
                    self.count = None if _suffix(found[0].string) in RECORDS else len(found)
                if form.indexed:
                    indices = {int(match["index"]) for match in found}
                    self.first = int(IMAGES in indices and 0 not in indices)
                resolutions = [match["log2"] for match in found if "log2" in form.pattern.groupindex]
                return form, max(resolutions, default=None)
        raise self._nothing()

    def _nothing(self) -> UserError:
        suffixes = ", ".join(sorted(SUFFIXES | {".npy", *RECORDS}))
        return UserError(f"{self.container.path}: no images in it ({suffixes})")

    def pictures(self, after: int = 0) -> Iterator[Picture]:
        """All pictures after the first so many, always in the same order."""
        empty = not after
        for file in self.container.files():
            match = self.form.pattern.search(self._full(file.name))
            if not match or match.groupdict().get("log2") != self.log2:
                continue
            if after and _suffix(file.name) not in RECORDS:
                after -= 1  # without reading it
                continue
            groups = match.groupdict()
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
            raise self._nothing()

    def _expand(self, file: File) -> Iterator[Picture]:
        """The pictures in a file: itself, or its records, of which none may be damaged."""
        records = RECORDS.get(_suffix(file.name))
        if file.problem or records is None:
            yield _whole(file)
            return
        try:
            with file.open() as opened:
                yield from (Picture(f"{file.name}#{row}", image) for row, image in enumerate(records(opened)))
        except Damaged as error:
            raise UserError(f"{self.container.path}: {file.name}: {error}") from error


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _whole(file: File) -> Picture:
    """A file that is one picture."""
    problem = file.problem
    if file.size > LARGEST:
        problem = f"a file of {file.size / 2**20:,.0f} MiB"
    if problem:
        return Picture(file.name, b"", problem=problem)
    try:
        with file.open() as opened:
            data = opened.read()
    except (PermissionError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        return Picture(file.name, b"", problem=f"cannot be read: {error}")
    return _array(file.name, data) if _suffix(file.name) == ".npy" else Picture(file.name, data)


def _array(name: str, data: bytes) -> Picture:
    """PGGAN's (1, 3, H, W) uint8."""
    try:
        pixels = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except Exception:  # NumPy raises many kinds, MemoryError where a header tells of more than there can be
        return Picture(name, b"", problem="not an array" if data else "empty file")
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[:2] != (1, 3):
        return Picture(name, b"", problem=f"an array of {pixels.dtype} {pixels.shape}, not of uint8 (1, 3, H, W)")
    return Picture(name, pixels[0])


def _celeba_partition(path: Path) -> dict[str, str]:
    """The published splits by file name, from the list in CelebA's folder or beside it. Raises UserError."""
    with damage_as_user_error(path):
        file = find_list(path)
    if file is None:
        return {}
    with damage_as_user_error(file):
        text = file.read_text("utf-8-sig")
    return read_list(str(file), text.splitlines())
