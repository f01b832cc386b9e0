"""Training images, validation images, which choose the weights, and test images, on which the tables are measured."""

from __future__ import annotations

import hashlib

from fvae.data.journal import Outcome
from fvae.data.partition import LISTS
from fvae.errors import UserError
from fvae.params import FolderSplit, HashSplit, PublishedSplit

SPLITS = ("train", "validation", "test")
PUBLISHED_TRAIN = 27_000  # of CelebA-HQ's 30,000, by index (Kingma & Dhariwal 2018); the other 3,000 are the test


def assign(outcomes: list[Outcome], split: HashSplit | FolderSplit | PublishedSplit, indexed: bool) -> list[str]:
    """The split of each image; `indexed` says whether outcomes have CelebA-HQ's index.

    hash: by the hash of the content, so that an image keeps its split when others are added.
    folder: by the hash of the name of the innermost folder, so that all images of a folder are in one split, which it
    keeps when others are added.
    published: the source's own, or by CelebA-HQ's index. Where a source has validation images and no test images, the
    validation images are the test, as is usual for CelebA-HQ. Where no validation images are left, a share of the
    training images is taken, by hash.
    Raises UserError where the source has no published split, where an image lies in no folder, and where there are
    fewer folders than splits.
    """
    if isinstance(split, HashSplit):
        return [_by_hash(outcome.sha256, split.validation, split.test) for outcome in outcomes]
    if isinstance(split, FolderSplit):
        digests = [hashlib.sha256(folder.encode()).hexdigest() for folder in _folders(outcomes)]
        return [_by_hash(digest, split.validation, split.test) for digest in digests]
    if indexed and all(outcome.index is not None for outcome in outcomes):
        parts = ["train" if outcome.index < PUBLISHED_TRAIN else "test" for outcome in outcomes]  # type: ignore[operator]
    else:
        parts = [outcome.part or "" for outcome in outcomes]
    if "" in parts:
        raise _no_published_split(
            [outcome.name for outcome, part in zip(outcomes, parts, strict=True) if not part], parts
        )
    if "test" not in parts:
        parts = ["test" if part == "validation" else part for part in parts]
    if "validation" not in parts:
        parts = [
            _by_hash(outcome.sha256, split.validation, 0.0) if part == "train" else part
            for outcome, part in zip(outcomes, parts, strict=True)
        ]
    return parts


def _folders(outcomes: list[Outcome]) -> list[str]:
    """The name of the innermost folder of each image, in whatever folders a person has packed those."""
    names = [outcome.name for outcome in outcomes]
    folders = [name.rpartition("/")[0].rpartition("/")[2] for name in names]
    outside = [name for name, folder in zip(names, folders, strict=True) if not folder]
    if outside:
        raise UserError(
            f"data.split: {len(outside):,} of {len(names):,} images lie in no folder, such as {outside[0]}; put each "
            "in the folder of its person, or say {kind: hash, validation: 0.05, test: 0.05}"
        )
    if (count := len(set(folders))) < len(SPLITS):
        raise UserError(
            f"data.split: the images lie in {count} folders ({', '.join(sorted(set(folders)))}), too few for "
            f"{len(SPLITS)} splits; say {{kind: hash, validation: 0.05, test: 0.05}}"
        )
    return folders


def _no_published_split(unassigned: list[str], parts: list[str]) -> UserError:
    """What was looked for; or which images a split or a list lacks, where it has others."""
    if len(unassigned) < len(parts):
        return UserError(
            f"data.split: the published split lacks {len(unassigned):,} of {len(parts):,} images, such as "
            f"{unassigned[0]}; add them to the list, or say {{kind: hash, validation: 0.05, test: 0.05}}"
        )
    return UserError(
        "data.split: this source has no published split: its images are not numbered as CelebA-HQ's, its files are not "
        f"named by split, and there is no {' or '.join(LISTS)} in it or beside it; "
        "say {kind: hash, validation: 0.05, test: 0.05}"
    )


def _by_hash(digest: str, validation: float, test: float) -> str:
    """By the first 64 bits of a hash, taken as a number in [0, 1)."""
    place = int(digest[:16], 16) / 2**64
    return "test" if place < test else "validation" if place < test + validation else "train"
