"""Which images are for training, which choose weights, and on which every number in the tables is measured."""

from __future__ import annotations

from fvae.data.journal import Line
from fvae.errors import UserError
from fvae.params import HashSplit, PublishedSplit

SPLITS = ("train", "validation", "test")
PUBLISHED_TRAIN = 27_000  # of CelebA-HQ's 30,000, by index (Kingma & Dhariwal 2018); the other 3,000 are the test


def assign(lines: list[Line], split: HashSplit | PublishedSplit, indexed: bool) -> list[str]:
    """The split of each image; `indexed` says whether lines have CelebA-HQ's index.

    hash: by the content's hash, so that an image keeps its split when others are added.
    published: the source's own, where 'validation' is the test if there is no other, for that is how CelebA-HQ's is
    reported; or by CelebA-HQ's index. Where it has nothing to choose weights on, a share of train is taken, by hash.
    Raises UserError where the source has no published split.
    """
    if isinstance(split, HashSplit):
        return [_by_hash(line.sha256, split.validation, split.test) for line in lines]
    if indexed and all(line.index is not None for line in lines):
        parts = ["train" if line.index < PUBLISHED_TRAIN else "test" for line in lines]  # type: ignore[operator]
    else:
        parts = [line.part or "" for line in lines]
    if "" in parts:
        raise UserError(
            "data.split: this source has no published split (numbered CelebA-HQ images, or files named by split); "
            "say {kind: hash, validation: 0.05, test: 0.05}"
        )
    if "test" not in parts:
        parts = ["test" if part == "validation" else part for part in parts]
    if "validation" not in parts:
        parts = [
            _by_hash(line.sha256, split.validation, 0.0) if part == "train" else part
            for line, part in zip(lines, parts, strict=True)
        ]
    return parts


def _by_hash(digest: str, validation: float, test: float) -> str:
    """By the hash's first 64 bits as a number in [0, 1)."""
    place = int(digest[:16], 16) / 2**64
    return "test" if place < test else "validation" if place < test + validation else "train"
