"""prepare goes on where it was killed, makes several sizes in one pass, and says when the disk is full."""

import errno
import io
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fvae.commands.prepare import other_sizes
from fvae.data import images, journal, parallel, portraits, prepare, prepared
from fvae.data.journal import Journal, Outcome
from fvae.data.parallel import parallel_map
from fvae.data.prepare import prepare_images
from fvae.errors import UserError
from fvae.files import lock_folder
from fvae.params import Images, load

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
    return Images(**how | {"kind": "images", "split": split, "max_rejected": 0.1} | changes)


def made(folder):
    return {name: (folder / name).read_bytes() for name in MADE}


def often(archive, out):
    """A pass that brings all to the disk every few moments."""
    journal.FLUSH_SECONDS = 0.002
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
            time.sleep(0.05)  # until the processes that decoded for it have noticed
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
        first.add(Outcome("x", "1", None, None, None), [row])
        first.flush()
    assert len(Journal(tmp_path, (4,), "a").outcomes) == 1
    assert Journal(tmp_path, (4,), "b").outcomes == []


def test_a_line_without_its_row_and_a_row_without_its_line_are_forgotten(tmp_path):
    with Journal(tmp_path, (4,), "a") as first:
        for number in range(4):
            first.add(Outcome(str(number), "1", None, None, None), [np.full((3, 4, 4), number, np.uint8)])
        first.flush()
    with (tmp_path / "rows-4.raw").open("ab") as rows:
        rows.truncate(2 * 48 + 7)
    with Journal(tmp_path, (4,), "a") as again:
        assert [line.name for line in again.outcomes] == ["0", "1"]
        assert again.rows(4)[:, 0, 0, 0].tolist() == [0, 1]
    text = (tmp_path / "journal.jsonl").read_text()
    (tmp_path / "journal.jsonl").write_text(text[:-5])
    assert [line.name for line in Journal(tmp_path, (4,), "a").outcomes] == ["0"]
    (tmp_path / "journal.jsonl").write_text(f"{text}damaged\n")
    assert [line.name for line in Journal(tmp_path, (4,), "a").outcomes] == ["0"]


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
        patch.setattr(prepare, "parallel_map", None)
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
    assert list(parallel_map(negative, range(n))) == [-number for number in range(n)]


def test_a_map_uses_several_processes_that_end_with_it(two_cores):
    results = parallel_map(slow, range(400))
    workers = {next(results) for _ in range(200)}
    assert len(workers) > 1
    results.close()
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def portraits_of(side):
    """Noisy portraits."""
    noise = np.random.default_rng(0).normal(0, 4, (side, side, 3))
    for face in portraits.draw(np.arange(2), 256, 0):
        large = Image.fromarray(face.transpose(1, 2, 0)).resize((side, side), Image.Resampling.BICUBIC)
        yield Image.fromarray((np.asarray(large) + noise).clip(0, 255).astype(np.uint8))


def exactly(monkeypatch, data, **how):
    """As it is without decoding at a fraction."""
    with monkeypatch.context() as patch:
        patch.setattr(images, "DRAFTS", ())
        return images.decode(data, **how).astype(int)


@pytest.mark.parametrize("filter", ["lanczos", "area", "bilinear"])
@pytest.mark.parametrize(("quality", "subsampling"), [(95, 0), (95, 2), (85, 2), (75, 2)])
def test_a_jpeg_decoded_at_a_fraction_is_within_the_tolerance(monkeypatch, filter, quality, subsampling):
    """The one that images.decode states; subsampling 2 is 4:2:0."""
    for face in portraits_of(1024):
        data = encoded(face, quality=quality, subsampling=subsampling)
        for size in (64, 128):
            how = {"size": size, "crop": "center", "filter": filter}
            difference = np.abs(images.decode(data, **how) - exactly(monkeypatch, data, **how))
            assert 0 < difference.max() <= 6
            assert difference.mean() < 0.5


@pytest.mark.parametrize("sides", [(1025, 1024), (1024, 1025), (1023, 1024), (1500, 1001), (1000, 1500), (999, 1333)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_of_odd_sides_is_decoded_to_its_edge(monkeypatch, sides, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(pixels).resize(sides, Image.Resampling.BICUBIC), exif=exif.tobytes(), quality=95)
    for crop in ("center", (0, 1, 998, 999)):
        how = {"size": 64, "crop": crop, "filter": "lanczos"}
        assert np.abs(images.decode(data, **how) - exactly(monkeypatch, data, **how)).max() <= 6


def heavy(number):
    return 2**21


def test_a_map_holds_a_bounded_number_of_bytes(monkeypatch):
    """Items of 2 MiB: no more are read ahead than the bytes allow, where their number would allow hundreds."""
    monkeypatch.setattr(parallel, "MAX_BYTES", 2**25)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))
    read, taken, most = 0, 0, 0

    def items():
        nonlocal read, most
        for number in range(200):
            read += 1
            most = max(most, read - taken)
            yield number

    for _ in parallel_map(negative, items(), heavy):
        taken += 1
    assert taken == 200
    assert most * 2**21 <= 2**25 + 2 * parallel.CHUNK_BYTES


def killed(number):
    if number == 150 and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_killed_process_of_a_map_is_one_clear_line(two_cores):
    with pytest.raises(UserError, match="was killed, perhaps for want of memory; run it again to go on"):
        list(parallel_map(killed, range(400)))


def test_memory_that_is_full_is_no_fault_of_an_image(archive, tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(images, "to_rgb", full)
    with pytest.raises(UserError, match="the memory is full"):
        prepare_images(settings(archive), tmp_path / "out")


def test_a_set_that_another_process_prepares_is_left_to_it(archive, tmp_path):
    claimed = lock_folder(tmp_path / ".out.journal")
    with pytest.raises(UserError, match=r"\.out\.journal: another process is at work there"):
        prepare_images(settings(archive), tmp_path / "out")
    claimed.release()
    prepare_images(settings(archive), tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_two_at_once_make_one_right_set(archive, tmp_path):
    prepare_images(settings(archive), tmp_path / "whole")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=prepare_images, args=(settings(archive), tmp_path / "out")) for _ in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert 0 in [process.exitcode for process in processes]
    assert made(tmp_path / "out") == made(tmp_path / "whole")


@pytest.mark.parametrize(
    ("code", "message"), [("ENOSPC", "the disk is full"), ("EDQUOT", "the disk is full"), ("EACCES", "Permission den")]
)
def test_a_set_that_cannot_be_written_is_one_clear_line(archive, tmp_path, monkeypatch, code, message):
    def refused(*_):
        number = getattr(errno, code)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(np.lib.format, "write_array_header_1_0", refused)
        with pytest.raises(UserError, match=message + ".*run it again to go on"):
            prepare_images(settings(archive), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("size", [24, 40])
def test_a_disk_that_fills_up_is_one_clear_line(archive, small_disk, size):
    """At 24×24 the rows fit and the array beside them does not, at 40×40 not even the rows."""
    with pytest.raises(UserError, match="the disk is full; make room and run it again to go on"):
        prepare_images(settings(archive, size), small_disk / "out")
    assert not (small_disk / "out").exists()


def test_a_journal_of_other_code_or_other_libraries_is_not_used(archive, tmp_path, monkeypatch):
    fingerprints = []
    begin = Journal.__init__

    def noted(self, folder, sizes, fingerprint):
        fingerprints.append(fingerprint)
        begin(self, folder, sizes, fingerprint)

    monkeypatch.setattr(Journal, "__init__", noted)
    prepare_images(settings(archive), tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "code", lambda: "other")
        prepare_images(settings(archive), tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setitem(prepared.LIBRARIES, "torch", "0.0")
        prepare_images(settings(archive), tmp_path / "out")
    assert len(set(fingerprints)) == 3


def test_an_image_between_two_sizes_is_kept_at_the_one_it_is_large_enough_for(tmp_path):
    source = tmp_path / "faces.zip"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(source, "w") as opened:
        for number in range(60):
            side = 20 if number % 6 == 0 else 40
            pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            opened.writestr(f"{number:04}.jpg", encoded(Image.fromarray(pixels)))
    how = {"max_rejected": 0.5}
    for size in (16, 32):
        prepare_images(settings(source, size, **how), tmp_path / f"alone{size}")
    for first, second in ((16, 32), (32, 16)):
        prepare_images(settings(source, first, **how), tmp_path / f"a{first}", {second: tmp_path / f"b{second}"})
        prepare_images(settings(source, second, **how), tmp_path / f"b{second}")
        assert made(tmp_path / f"a{first}") == made(tmp_path / f"alone{first}")
        assert made(tmp_path / f"b{second}") == made(tmp_path / f"alone{second}")
    assert len(np.load(tmp_path / "alone16/images.npy")) == 60
    rejected = (tmp_path / "alone32/rejected.csv").read_text().splitlines()
    assert rejected[1:] == [f"{number:04}.jpg,the crop of 20 pixels is smaller than 32" for number in range(0, 60, 6)]
    prepare_images(settings(source, 16), tmp_path / "c16", {32: tmp_path / "c32"})  # which rejects too many
    assert made(tmp_path / "c16")["images.npy"] == made(tmp_path / "alone16")["images.npy"]
    with pytest.raises(UserError, match="10 of 60 images rejected"):
        prepare_images(settings(source, 32), tmp_path / "c32")


def test_the_other_sizes_are_those_of_the_same_images_not_prepared_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = load(Path(__file__).parents[2] / "params.yaml")
    assert other_sizes(params, "celeba64") == {128: Path("data/celeba128")}
    assert other_sizes(params, "celeba128") == {64: Path("data/celeba64")}
    assert other_sizes(params, "lfw64") == {}
    large = params.experiments["celeba128"]
    changed = large.model_copy(update={"data": large.data.model_copy(update={"filter": "area"})})
    other = params.model_copy(update={"experiments": params.experiments | {"celeba128": changed}})
    assert other_sizes(other, "celeba64") == {}
    Path("data/celeba128").mkdir(parents=True)
    Path("data/celeba128/manifest.json").touch()
    assert other_sizes(params, "celeba64") == {}
