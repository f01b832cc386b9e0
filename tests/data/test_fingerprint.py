"""The digest of raw data changes with names and contents, never with times, and is cheap where nothing changed."""

import hashlib
import io
import json
import os
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fvae.data import fingerprint, images
from fvae.data.fingerprint import source_digest
from fvae.data.prepare import prepare_images, prepare_portraits
from fvae.errors import UserError
from fvae.params import Images, Portraits

OLD = 1_000_000_000  # seconds since 1970


def encoded(number):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


FILES = {f"{'a' if i % 2 else 'b/c'}/{i:02}.png": encoded(i) for i in range(24)}


def folder(path, files=FILES):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def archive(path, files=FILES):
    with zipfile.ZipFile(path, "w") as opened:
        for name, data in files.items():
            opened.writestr(zipfile.ZipInfo(name), data)
    return path


def set_times(root, seconds):
    for path in root.rglob("*"):
        os.utime(path, (seconds, seconds))
    os.utime(root, (seconds, seconds))


def another_archive_with_an_older_time(root):
    other = archive(root / "other.zip", FILES | {"a/01.png": encoded(99)})
    os.utime(other, (OLD, OLD))
    shutil.copy2(other, root / "faces.zip")


def a_folder_with_older_times_in_its_place(root):
    other = folder(root / "other", FILES | {"a/01.png": encoded(99)})
    set_times(other, OLD)
    shutil.rmtree(root / "faces")
    other.rename(root / "faces")


def an_image_overwritten_in_place(root):
    """With as many bytes, and with its old time."""
    path = root / "faces/b/c/02.png"
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def an_image_in_a_subfolder(root):
    (root / "faces/b/c/99.png").write_bytes(encoded(99))


def an_image_renamed(root):
    (root / "faces/a/01.png").rename(root / "faces/a/zz.png")


def an_image_removed(root):
    (root / "faces/a/01.png").unlink()


def a_list_edited_in_the_folder(root):
    (root / "faces/list_eval_partition.txt").write_text("00.png 1\n")


def a_list_edited_beside_the_folder(root):
    (root / "list_eval_partition.csv").write_text("image_id,partition\n00.png,1\n")


def a_list_edited_beside_the_archive(root):
    (root / "list_eval_partition.txt").write_text("00.png 1\n")


CHANGES = [
    ("faces.zip", another_archive_with_an_older_time),
    ("faces", a_folder_with_older_times_in_its_place),
    ("faces", an_image_overwritten_in_place),
    ("faces", an_image_in_a_subfolder),
    ("faces", an_image_renamed),
    ("faces", an_image_removed),
    ("faces", a_list_edited_in_the_folder),
    ("faces", a_list_edited_beside_the_folder),
    ("faces.zip", a_list_edited_beside_the_archive),
]


@pytest.fixture
def root(tmp_path):
    folder(tmp_path / "faces")
    archive(tmp_path / "faces.zip")
    return tmp_path


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[change.__name__ for _, change in CHANGES])
def test_a_change_of_names_or_bytes_is_noticed(root, name, change):
    cache = {}
    before = source_digest(root / name, cache)
    change(root)
    after = source_digest(root / name, cache)
    assert after != before
    assert after == source_digest(root / name, {})
    assert len(cache) == 1  # of the present state alone


@pytest.mark.parametrize("name", ["faces", "faces.zip"])
def test_times_are_not_part_of_the_digest(root, name):
    cache = {}
    before = source_digest(root / name, cache)
    set_times(root, OLD)
    assert source_digest(root / name, cache) == before
    moved = root / "elsewhere" / name
    moved.parent.mkdir()
    (root / name).rename(moved)
    assert source_digest(moved, cache) == before


def test_hidden_files_are_not_part_of_the_digest(root):
    before = source_digest(root / "faces", {})
    folder(root / "faces", {".DS_Store": b"x", "b/.hidden/x.png": b"x", "__MACOSX/a.png": b"x"})
    assert source_digest(root / "faces", {}) == before


def test_the_digest_of_an_archive_is_that_of_its_bytes(root):
    assert source_digest(root / "faces.zip", {}) == hashlib.sha256((root / "faces.zip").read_bytes()).hexdigest()


def test_links_are_followed_once(root):
    (root / "faces/loop").symlink_to(root / "faces")
    (root / "elsewhere.png").write_bytes(b"1")
    before = source_digest(root / "faces", {})
    (root / "faces/linked.png").symlink_to(root / "elsewhere.png")
    linked = source_digest(root / "faces", {})
    (root / "elsewhere.png").write_bytes(b"2")
    changed = source_digest(root / "faces", {})
    (root / "elsewhere.png").unlink()
    assert len({before, linked, changed, source_digest(root / "faces", {})}) == 4


def test_a_known_state_is_not_read_again(root, monkeypatch):
    cache = {}
    digests = [source_digest(root / name, cache) for name in ("faces", "faces.zip")]
    cache = json.loads(json.dumps(cache))
    monkeypatch.setattr(fingerprint, "_content_hash", None)
    assert [source_digest(root / name, cache) for name in ("faces", "faces.zip")] == digests


def test_a_source_that_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match=r"faces\.zip"):
        source_digest(tmp_path / "faces.zip", {})


def test_many_files_cost_little(tmp_path):
    """Planning reads names, sizes and times alone: for CelebA's 202,599 files that took 1.4 s of processor time."""
    for number in range(10_000):
        os.close(os.open(tmp_path / f"{number:06}.jpg", os.O_CREAT))
    start = time.process_time()
    assert fingerprint._stat_hash(tmp_path)
    assert time.process_time() - start < 0.5  # 0.07 s, with room for a slow machine


def settings(path, **changes):
    how = {"path": str(path), "size": 16, "bits": 8, "crop": "center", "filter": "area", "limit": None}
    split = {"kind": "hash", "validation": 0.3, "test": 0.3}
    return Images(**how | {"kind": "images", "split": split, "max_rejected": 0.0} | changes)


def test_the_manifest_has_the_digest_that_planning_computes(root):
    for name in ("faces", "faces.zip"):
        prepare_images(settings(root / name), root / "out")
        manifest = json.loads((root / "out/manifest.json").read_text())
        assert manifest["source_sha256"] == source_digest(str(root / name), {})
    portraits = Portraits(kind="portraits", size=16, bits=8, train=4, validation=2, test=2, seed=0)
    prepare_portraits(portraits, root / "drawn")
    assert json.loads((root / "drawn/manifest.json").read_text())["source_sha256"] is None


@pytest.mark.parametrize(
    "change", [an_image_overwritten_in_place, an_image_in_a_subfolder, a_folder_with_older_times_in_its_place]
)
def test_the_journal_of_a_source_that_changed_is_not_used(root, monkeypatch, change):
    decode, seen = images.decode, []

    def interrupted(data, **how):
        seen.append(1)
        if len(seen) == 20:
            raise KeyboardInterrupt
        return decode(data, **how)

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})  # one core: no other processes
    with monkeypatch.context() as patch:
        patch.setattr(images, "decode", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare_images(settings(root / "faces", max_rejected=0.2), root / "out")
    assert Path(root, ".out.journal").is_dir()
    change(root)
    for out in ("out", "whole"):
        prepare_images(settings(root / "faces", max_rejected=0.2), root / out)
    for file in ("images.npy", "index.csv", "rejected.csv", "manifest.json"):
        assert (root / "out" / file).read_bytes() == (root / "whole" / file).read_bytes()


def test_reading_a_large_source_shows_progress(root, monkeypatch, capsys):
    source_digest(root / "faces", {})
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(fingerprint, "LARGE", 0)
    source_digest(root / "faces", {})
    assert "reading faces: 100%" in capsys.readouterr().err
