"""prepare goes on where it was killed, makes several sizes in one pass, and says when the disk is full."""

import errno
import io
import multiprocessing
import os
import random
import signal
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from fvae.data import images, journal, portraits, prepare
from fvae.data.ahead import mapped
from fvae.data.journal import Journal, Line
from fvae.data.prepare import prepare_images
from fvae.errors import UserError
from fvae.params import Images

MADE = ("images.npy", "index.csv", "rejected.csv", "manifest.json")


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Six hundred noisy images, a broken one after every fifty."""
    path = tmp_path_factory.mktemp("source") / "faces.zip"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as opened:
        for number in range(600):
            pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            opened.writestr(f"{number:04}.jpg", encoded(Image.fromarray(pixels)) if number % 50 else b"broken")
    return path


def settings(archive, size=16, **changes):
    how = {"path": str(archive), "size": size, "bits": 8, "crop": "center", "filter": "lanczos", "limit": None}
    split = {"kind": "hash", "validation": 0.1, "test": 0.1}
    return Images(kind="images", split=split, max_rejected=0.1, **how | changes)


def made(folder):
    return {name: (folder / name).read_bytes() for name in MADE}


def often(archive, out):
    """A pass that brings all to the disk every few moments."""
    journal.SECONDS = 0.002
    prepare_images(settings(archive), out)


def test_killed_at_any_moment_it_goes_on_to_the_same_bits(archive, tmp_path):
    prepare_images(settings(archive), tmp_path / "whole")
    context, moments, kills = multiprocessing.get_context("fork"), random.Random(0), 0
    for attempt in range(60):
        process = context.Process(target=often, args=(archive, tmp_path / "parts"))
        process.start()
        process.join(moments.uniform(0.005, 0.04) if attempt < 20 else 60)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            kills += 1
        elif process.exitcode == 0:
            break
    assert kills >= 5
    assert made(tmp_path / "parts") == made(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "parts"}


def test_pictures_that_are_done_are_not_decoded_again(archive, tmp_path, monkeypatch):
    seen = []
    decode = images.decode

    def counted(data, **how):
        seen.append(1)
        if len(seen) == 300:
            raise KeyboardInterrupt
        return decode(data, **how)

    monkeypatch.setattr(images, "decode", counted)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})  # one core: no other processes
    with pytest.raises(KeyboardInterrupt):
        prepare_images(settings(archive), tmp_path / "out")
    prepare_images(settings(archive), tmp_path / "out")
    assert len(seen) == 600 + 1  # but for the one at which it stopped


def test_a_journal_of_another_source_or_other_settings_is_not_used(tmp_path):
    row = np.ones((3, 4, 4), np.uint8)
    with Journal(tmp_path, (4,), "a") as first:
        first.add(Line("x", "1", None, None, None), [row])
    assert len(Journal(tmp_path, (4,), "a").lines) == 1
    assert Journal(tmp_path, (4,), "b").lines == []


def test_a_line_without_its_row_and_a_row_without_its_line_are_forgotten(tmp_path):
    with Journal(tmp_path, (4,), "a") as first:
        for number in range(4):
            first.add(Line(str(number), "1", None, None, None), [np.full((3, 4, 4), number, np.uint8)])
    with (tmp_path / "rows-4.raw").open("ab") as rows:
        rows.truncate(2 * 48 + 7)
    again = Journal(tmp_path, (4,), "a")
    assert [line.name for line in again.lines] == ["0", "1"]
    assert again.rows(4)[:, 0, 0, 0].tolist() == [0, 1]
    text = (tmp_path / "journal.jsonl").read_text()
    (tmp_path / "journal.jsonl").write_text(text[:-5])
    assert [line.name for line in Journal(tmp_path, (4,), "a").lines] == ["0"]


def test_several_sizes_of_one_pass_are_those_of_a_pass_each(archive, tmp_path):
    for size in (16, 32):
        prepare_images(settings(archive, size), tmp_path / f"alone{size}")
    prepare_images(settings(archive, 32), tmp_path / "b32", {16: tmp_path / "b16"})
    assert not (tmp_path / "b16").exists()
    assert made(tmp_path / "b32") == made(tmp_path / "alone32")


def test_what_was_made_for_another_folder_is_not_read_again(archive, tmp_path, monkeypatch):
    prepare_images(settings(archive, 16), tmp_path / "alone")
    prepare_images(settings(archive, 32), tmp_path / "b32", {16: tmp_path / "b16"})
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "mapped", None)
        prepare_images(settings(archive, 16), tmp_path / "b16")
    assert made(tmp_path / "b16") == made(tmp_path / "alone")
    prepare_images(settings(archive, 32), tmp_path / "b32", {16: tmp_path / "b16"})
    prepare_images(settings(archive, 16, filter="area"), tmp_path / "b16")
    assert made(tmp_path / "b16")["images.npy"] != made(tmp_path / "alone")["images.npy"]


def test_a_full_disk_is_one_clear_line_and_loses_nothing(archive, tmp_path, monkeypatch):
    add, calls = Journal.add, []

    def full(self, line, pixels):
        calls.append(1)
        if len(calls) == 200:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, line, pixels)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "add", full)
        with pytest.raises(UserError, match="the disk is full; make room and run it again to go on"):
            prepare_images(settings(archive), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    prepare_images(settings(archive), tmp_path / "out")
    prepare_images(settings(archive), tmp_path / "whole")
    assert made(tmp_path / "out") == made(tmp_path / "whole")


def negative(number):
    return -number


def slow(number):
    time.sleep(0.01)
    return os.getpid()


@pytest.mark.parametrize("n", [0, 5, 127, 128, 1000])
def test_a_map_over_processes_keeps_the_order(n):
    assert list(mapped(negative, range(n))) == [-number for number in range(n)]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core")
def test_a_map_uses_several_processes_that_end_with_it():
    results = mapped(slow, range(400))
    workers = {next(results) for _ in range(200)}
    assert len(workers) > 1
    results.close()
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_a_jpeg_decoded_at_a_fraction_is_within_three_levels(monkeypatch):
    """The tolerance that images.decode states, on noisy portraits of 1024×1024."""
    noise = np.random.default_rng(0).normal(0, 4, (1024, 1024, 3))
    faces = []
    for face in portraits.draw(np.arange(4), 256, 0):
        large = Image.fromarray(face.transpose(1, 2, 0)).resize((1024, 1024), Image.Resampling.BICUBIC)
        noisy = (np.asarray(large) + noise).clip(0, 255).astype(np.uint8)
        faces.append(encoded(Image.fromarray(noisy), quality=95))
    for size in (64, 128):
        how = {"size": size, "crop": "center", "filter": "lanczos"}
        fast = np.array([images.decode(face, **how) for face in faces]).astype(int)
        with monkeypatch.context() as patch:
            patch.setattr(images, "DRAFT_GAP", 10**9)
            exact = np.array([images.decode(face, **how) for face in faces]).astype(int)
        difference = np.abs(fast - exact)
        assert 0 < difference.max() <= 3
        assert difference.mean() < 0.25
