"""Archives as people have them: made on Windows, damaged, of kinds that are not read, of other compression."""

import bz2
import gzip
import io
import lzma
import shutil
import struct
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from image_files import image_record, into_zip, shard
from PIL import Image

from fvae.data.inspection import inspect
from fvae.data.prepare import prepare_images
from fvae.data.sources import Source
from fvae.errors import UserError
from fvae.params import Images

RNG = np.random.default_rng(0)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1234\n"


def encoded(side, format="JPEG"):
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(buffer, format)
    return buffer.getvalue()


FACES = {f"{i:02}.png": encoded(20, "PNG") for i in range(24)}


def tarred(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def settings(path, **changes):
    how = {"kind": "images", "path": str(path), "size": 16, "bits": 8, "crop": "center", "filter": "area"}
    split = {"kind": "hash", "validation": 0.3, "test": 0.3}
    return Images(**how | {"split": split, "limit": None, "max_rejected": 0.0} | changes)


def one_line(use):
    with pytest.raises(UserError) as error:
        use()
    assert "\n" not in str(error.value)
    return str(error.value)


def patched(path, name, place, value):
    """A zip in which a two-byte field of the file's header and of its entry in the list of files is changed."""
    data = bytearray(path.read_bytes())
    local = data.index(b"PK\x03\x04" + data[4:8], data.index(name) - 30)
    entry = data.rindex(name) - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    struct.pack_into("<H", data, local + place, value)
    struct.pack_into("<H", data, entry + place + 2, value)
    path.write_bytes(data)
    return path


FLAGS, METHOD = 6, 8  # places of fields in a file's header


@pytest.fixture
def windows():
    """The names of a CelebAMask-HQ zip that was packed on Windows, with what macOS adds."""
    faces = {f"CelebAMask-HQ\\CelebA-HQ-img\\{i}.jpg": encoded(1024) for i in (0, 1, 2, 27_000)}
    masks = {f"CelebAMask-HQ\\CelebAMask-HQ-mask-anno\\0\\{i:05}_hair.png": encoded(512, "PNG") for i in range(6)}
    clutter = {
        "CelebAMask-HQ\\": b"",
        "__MACOSX\\CelebA-HQ-img\\0.jpg": b"x",
        "CelebAMask-HQ\\CelebA-HQ-img\\._1.jpg": b"x",
    }
    return faces | masks | clutter


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_backslashes_in_names_are_slashes(tmp_path, windows, kind):
    path = tmp_path / f"CelebAMask-HQ.{kind}"
    if kind == "zip":
        into_zip(path, windows)
    else:
        data = tarred({name: content for name, content in windows.items() if not name.endswith("\\")})
        path.write_bytes(gzip.compress(data) if kind == "tgz" else data)
    source = Source(path)
    assert source.form.name == "CelebAMask-HQ"
    assert sum(source.left_out.values()) == 6
    pictures = list(source.pictures())
    assert [picture.name for picture in pictures] == [f"CelebAMask-HQ/CelebA-HQ-img/{i}.jpg" for i in (0, 1, 2, 27_000)]
    prepare_images(settings(path, split={"kind": "published", "validation": 0.5}), tmp_path / "out")
    index = pd.read_csv(tmp_path / "out/index.csv", index_col="name")["split"]
    assert len(index) == 4
    assert index["CelebAMask-HQ/CelebA-HQ-img/27000.jpg"] == "test"


def test_backslashes_in_a_folder_s_names_are_slashes(tmp_path):
    source = tmp_path / "faces"
    source.mkdir()
    for name, data in FACES.items():
        (source / f"a\\{name}").write_bytes(data)
    (source / "__MACOSX\\._0.jpg").write_bytes(b"x")
    assert [picture.name for picture in Source(source).pictures()] == [f"a/{name}" for name in FACES]


def records():
    """Files that hold many images: Glow's tfrecords, and a parquet shard. Here they are large and compress little."""
    pixels = [RNG.integers(0, 256, (3, 64, 64), dtype=np.uint8) for _ in range(40)]
    images = pa.array([encoded(64, "PNG") for _ in range(40)], pa.binary())
    return {
        "a-r06.tfrecords": b"".join(map(image_record, pixels)),
        "train-0.parquet": shard(images),
    }


def in_the_content(path, name):
    """A byte in the middle of a file's compressed content is changed."""
    data = bytearray(path.read_bytes())
    start = data.index(name.encode()) + len(name)
    data[start + 100_000] ^= 0xFF
    path.write_bytes(data)
    return path


DAMAGE = {  # how a zip comes to be unreadable, and what is said of it
    "its content": (in_the_content, ""),  # by a sum of the zip or by one of the records
    "compressed by deflate64": (
        lambda path, name: patched(path, name.encode(), METHOD, 9),
        "compressed by deflate64, which Python does not read",
    ),
    "compressed by an unknown method": (
        lambda path, name: patched(path, name.encode(), METHOD, 77),
        "compressed by method 77, which Python does not read",
    ),
    "encrypted": (lambda path, name: patched(path, name.encode(), FLAGS, 1), "encrypted"),
    "strongly encrypted": (lambda path, name: patched(path, name.encode(), FLAGS, 0x40), "cannot be read: strong enc"),
}


@pytest.mark.parametrize("name", ["a-r06.tfrecords", "train-0.parquet"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_zip_of_records_that_cannot_be_read_is_one_clear_line(tmp_path, name, damage):
    change, said = DAMAGE[damage]
    path = change(into_zip(tmp_path / "faces.zip", {name: records()[name]}, zipfile.ZIP_DEFLATED), name)
    assert one_line(lambda: prepare_images(settings(path), tmp_path / "out")).startswith(f"{path}: {name}: {said}")
    assert not (tmp_path / "out").exists()
    assert name in one_line(lambda: inspect(str(path), None))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("name", ["a-r06.tfrecords", "train-0.parquet"])
def test_damaged_records_of_other_compressions_are_one_clear_line(tmp_path, name, method):
    path = in_the_content(into_zip(tmp_path / "faces.zip", {name: records()[name]}, method), name)
    assert one_line(lambda: list(Source(path).pictures())).startswith(f"{path}: {name}: ")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_image_in_a_zip_is_rejected(tmp_path, method):
    path = into_zip(tmp_path / "faces.zip", FACES | {"large.png": encoded(400, "PNG")}, method)
    in_the_content(path, "large.png")
    prepare_images(settings(path, max_rejected=0.1), tmp_path / "out")
    rejected = pd.read_csv(tmp_path / "out/rejected.csv", index_col="name")["reason"]
    assert list(rejected.index) == ["large.png"]
    assert rejected["large.png"].startswith("cannot be read: ")


def test_images_that_are_compressed_by_deflate64_say_so(tmp_path):
    path = into_zip(tmp_path / "faces.zip", FACES)
    for name in FACES:
        patched(path, name.encode(), METHOD, 9)
    line = one_line(lambda: prepare_images(settings(path), tmp_path / "out"))
    assert "24 of 24 images rejected" in line
    assert "compressed by deflate64, which Python does not read: unpack the zip and name the folder" in line


COMPRESS = {"tar": bytes, "tgz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("name", ["a-r06.tfrecords", "train-0.parquet"])
def test_records_in_a_tar_are_read_and_their_damage_is_one_clear_line(tmp_path, name, suffix):
    path = tmp_path / f"faces.{suffix}"
    data = COMPRESS[suffix](tarred({name: records()[name], "z.txt": b"z"}))
    path.write_bytes(data)
    assert len(list(Source(path).pictures())) == 40
    path.write_bytes(data[: len(data) * 2 // 3])
    assert str(path) in one_line(lambda: list(Source(path).pictures()))
    if suffix == "tar":  # which has sums of headers alone
        return
    path.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 0xFF]) + data[len(data) // 2 + 1 :])
    assert str(path) in one_line(lambda: list(Source(path).pictures()))


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_tar_with_a_block_of_zeros_in_it_is_damaged(tmp_path, suffix):
    """Such as one of a download that left gaps. tarfile takes the block for the end, and would lose what follows."""
    data = bytearray(tarred(FACES))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        place = archive.getmembers()[12].offset
    data[place : place + 512] = bytes(512)
    path = tmp_path / f"faces.{suffix}"
    path.write_bytes(COMPRESS[suffix](bytes(data)))
    assert "data after its end" in one_line(lambda: list(Source(path).pictures()))


def test_several_tars_in_one_file_are_told(tmp_path):
    path = tmp_path / "faces.tar"
    path.write_bytes(tarred(FACES) + tarred({"b.png": encoded(20, "PNG")}))
    assert "several tars in one file; unpack it" in one_line(lambda: list(Source(path).pictures()))


NOT_READ = {  # the first bytes of a file, what is said
    "faces.7z": (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive is not read: unpack it and name the folder, or pack"),
    "faces.rar": (b"Rar!\x1a\x07\x01\x00", "a RAR archive is not read: unpack it"),
    "faces.tar.zst": (b"\x28\xb5\x2f\xfd\x04\x58", "a file compressed by Zstandard is not read: unpack it"),
    "faces.tar.lz4": (b"\x04\x22\x4d\x18\x64\x40", "a file compressed by LZ4 is not read: unpack it"),
    "faces.tar.Z": (b"\x1f\x9d\x90", "a file compressed by compress (.Z) is not read: unpack it"),
    "faces.zip": (POINTER, "a Git LFS pointer in place of the file: run git lfs pull"),
    "other.zip": (b"<!DOCTYPE html><html><body>Quota exceeded</body></html>", "a web page, not an archive: the down"),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_what_is_not_read_says_what_it_is_and_what_to_do(tmp_path, name):
    start, said = NOT_READ[name]
    path = tmp_path / name
    path.write_bytes(start + bytes(1000) if start != POINTER else start)
    assert one_line(lambda: Source(path)).startswith(f"{path}: {said}")


@pytest.mark.parametrize("inner", ["faces.zip", "faces.7z", "faces.tar.zst", "a/faces.tar"])
def test_an_archive_in_an_archive_or_alone_in_a_folder_is_told(tmp_path, inner):
    outer = into_zip(tmp_path / "outer.zip", {inner: b"PK\x03\x04", "readme.txt": b""})
    folder = tmp_path / "folder"
    (folder / inner).parent.mkdir(parents=True)
    (folder / inner).write_bytes(b"PK\x03\x04")
    for path in (outer, folder):
        line = one_line(lambda path=path: Source(path))
        assert line == f"{path}: no images in it, but archives ({inner}): unpack them, or name one of them"


def test_pointers_of_git_lfs_among_the_files_are_told(tmp_path):
    source = tmp_path / "faces"
    source.mkdir()
    for name in FACES:
        (source / name).write_bytes(POINTER)
    said = "a Git LFS pointer in place of the file: run git lfs pull"
    assert said in one_line(lambda: prepare_images(settings(source), tmp_path / "out"))
    for name in ("a-r06.tfrecords", "train-0.parquet"):
        shutil.rmtree(source)
        source.mkdir()
        (source / name).write_bytes(POINTER)
        assert one_line(lambda: list(Source(source).pictures())) == f"{source}: {name}: {said}"
