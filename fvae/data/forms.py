"""The forms in which people have sets of faces, recognised by the names of the files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from PIL import features

ALWAYS = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
BY_FEATURE = {".webp": "webp", ".avif": "avif"}  # which a build of Pillow may lack
DECODED = ALWAYS | {suffix for suffix, feature in BY_FEATURE.items() if features.check(feature)}
# Common suffixes of images that this Pillow does not decode: each such image is rejected, and its reason is told.
NOT_DECODED = (set(BY_FEATURE) | {".heic", ".heif"}) - DECODED
IMAGE_SUFFIXES = DECODED | NOT_DECODED
ARCHIVES = re.compile(r"\.(?:zip|tar|tgz|tbz2?|txz|tar\.\w+|7z|rar|zst)$", re.IGNORECASE)

IMAGE_STARTS = re.compile(  # the first bytes of JPEG, PNG, GIF, WebP, TIFF, HEIC and AVIF
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|II\*\0|MM\0\*|....ftyp(?:heic|heix|mif1|avif)", re.DOTALL
)
IMAGE_START_BYTES = 16
OTHER_IMAGES = {  # suffixes of images that are not read
    *(".tga", ".psd", ".jp2", ".j2k", ".jxl", ".jxr", ".svg", ".ico", ".exr", ".hdr", ".pcx", ".pbm", ".pnm", ".pfm"),
    *(".dds", ".eps", ".xcf", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
}
IMAGE = r"\.(?:jpe?g|png)$"
CELEBA_HQ = 30_000  # images: the last one's index where the first is 1


@dataclass(frozen=True)
class Form:
    """A form of data. `pattern` finds its files' names, and in them the index of an image and its split."""

    name: str
    pattern: re.Pattern[str]
    side: tuple[int, int] | None = None  # width and height of every image in pixels, where the form decides them
    indexed: bool = False  # whether the index is CelebA-HQ's

    @property
    def settled(self) -> bool:
        """Whether one name is enough to recognise it: nothing depends on the other names."""
        return not self.indexed and self.side is not None


def _form(name: str, pattern: str, side: tuple[int, int] | None = None, indexed: bool = False) -> Form:
    return Form(name, re.compile(pattern, re.IGNORECASE), side, indexed)


PLAIN = _form("images", r"\.(?:" + "|".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES)) + r")$")
FORMS = (  # the first one that matches any name is taken
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
    PLAIN,
)


def suffix_of(name: str) -> str:
    """The suffix of a file's name in lower case, such as ".jpg"; empty where it has none."""
    return os.path.splitext(name)[1].lower()
