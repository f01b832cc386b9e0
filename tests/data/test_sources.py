"""Every form in which people have faces: recognised, read, named, split; each a small file of exactly that layout."""

import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crc32c import crc32c
from PIL import Image
from tfrecord import example_pb2

from fvae.data import dataset
from fvae.data.prepare import prepare_images
from fvae.data.sources import Source
from fvae.errors import UserError
from fvae.params import Images

RNG = np.random.default_rng()
PUBLISHED = {"kind": "published", "validation": 0.5}
HASH = {"kind": "hash", "validation": 0.3, "test": 0.3}


@pytest.fixture(autouse=True)
def _the_same_images_each_time():
    RNG.bit_generator.state = np.random.default_rng(3).bit_generator.state


def encoded(width, height, format="JPEG"):
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(buffer, format)
    return buffer.getvalue()


def into_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def into_tar(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def into_folder(path, files):
    for name, data in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def record(image):
    """A TFRecord as TensorFlow writes it, of a tf.train.Example as PGGAN and Glow make it."""

    def checked(data):
        crc = crc32c(data)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    example = example_pb2.Example()
    example.features.feature["shape"].int64_list.value.extend(image.shape)
    example.features.feature["data"].bytes_list.value.append(image.tobytes())
    data = example.SerializeToString()
    length = struct.pack("<Q", len(data))
    return length + checked(length) + data + checked(data)


def array(side, channels_last=False):
    return RNG.integers(0, 256, (side, side, 3) if channels_last else (3, side, side), dtype=np.uint8)


def npy(pixels):
    buffer = io.BytesIO()
    np.save(buffer, pixels)
    return buffer.getvalue()


def shard(images, **columns):
    table = pa.table({"image": images} | columns)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=5)
    return buffer.getvalue()


INDICES = [0, 1, 5, 26_998, 26_999, 27_000, 27_001, 29_999]  # of CelebA-HQ, around the published split's end


def celebamask():
    files = {f"CelebAMask-HQ/CelebA-HQ-img/{i}.jpg": encoded(1024, 1024) for i in INDICES}
    masks = {f"CelebAMask-HQ/CelebAMask-HQ-mask-anno/0/{i:05}_hair.png": encoded(512, 512, "PNG") for i in range(3)}
    return files | masks | {"CelebAMask-HQ/CelebA-HQ-to-CelebA-mapping.txt": b"idx orig_idx orig_file"}


def pggan_arrays():
    return {f"imgHQ{i:05}.npy": npy(array(1024)[None]) for i in INDICES}


def kaggle():
    return {f"celeba_hq_256/{i:05}.jpg": encoded(256, 256) for i in INDICES}


def glow():
    parts = (("train", 3), ("validation", 2))
    return {
        f"celeba-tfr/{part}/{part}-r08-s-{i:04}-of-{n:04}.tfrecords": b"".join(record(array(256, True)) for _ in "ab")
        for part, n in parts
        for i in range(n)
    }


def hugging_face():
    def images(n):
        return [{"bytes": encoded(256, 256), "path": None} for _ in range(n)]

    return {
        "data/train-00000-of-00002.parquet": shard(images(7), label=list(range(7))),
        "data/train-00001-of-00002.parquet": shard(images(2), label=list(range(2))),
        "data/validation-00000-of-00001.parquet": shard(images(3), label=list(range(3))),
    }


def celeba():
    names = [f"{i:06}.jpg" for i in range(1, 13)]
    lines = "".join(f"{name} {max(0, number - 9)}\n" for number, name in enumerate(names))
    return {f"img_align_celeba/{name}": encoded(178, 218) for name in names} | {
        "list_eval_partition.txt": lines.encode()
    }


FORMS = {  # container, files, the form's name, images, published test images (0: no published split)
    "CelebAMask-HQ.zip": (into_zip, celebamask, "CelebAMask-HQ", 8, 3),
    "CelebAMask-HQ": (into_folder, celebamask, "CelebAMask-HQ", 8, 3),
    "celeba-hq": (into_folder, pggan_arrays, "CelebA-HQ, PGGAN's arrays", 8, 3),
    "archive.zip": (into_zip, kaggle, "CelebA-HQ, Kaggle's", 8, 3),
    "kaggle": (into_folder, kaggle, "CelebA-HQ, Kaggle's", 8, 3),
    "celeba-tfr.tar": (into_tar, glow, "Glow's tfrecords", 10, 4),
    "glow": (into_folder, glow, "Glow's tfrecords", 10, 4),
    "celeba-hq-256x256": (into_folder, hugging_face, "parquet", 12, 3),
    "parquet.zip": (into_zip, hugging_face, "parquet", 12, 3),
    "celeba": (into_folder, celeba, "CelebA, aligned", 12, 1),
    "data1024x1024.tar": (
        into_tar,
        lambda: {f"data1024x1024/{i:05}.png": encoded(1024, 1024, "PNG") for i in INDICES},
        "CelebA-HQ, TFDS's tar",
        8,
        3,
    ),
    "lfw-deepfunneled.tgz": (
        lambda path, files: into_tar(path, files, "w:gz"),
        lambda: {f"lfw-deepfunneled/A_{i}/A_{i}_{1:04}.jpg": encoded(250, 250) for i in range(12)},
        "Labelled Faces in the Wild",
        12,
        0,
    ),
    "ffhq": (
        into_folder,
        lambda: {f"thumbnails128x128/{i // 1000:02}000/{i:05}.png": encoded(128, 128, "PNG") for i in range(12)},
        "FFHQ's thumbnails",
        12,
        0,
    ),
    "mine.tar.bz2": (
        lambda path, files: into_tar(path, files, "w:bz2"),
        lambda: {f"a/b/{i}.webp": encoded(90, 70, "WEBP") for i in range(12)},
        "images",
        12,
        0,
    ),
}


def settings(path, split, **changes):
    how = {"kind": "images", "path": str(path), "size": 16, "bits": 8, "crop": "center", "filter": "area"}
    return Images(**how | {"split": split, "limit": None, "max_rejected": 0.0} | changes)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_recognised_and_read(name, tmp_path):
    container, files, form, images, published = FORMS[name]
    source = container(tmp_path / name, files())
    pictures = list(Source(source).pictures())
    assert Source(source).form.name == form
    assert len(pictures) == images
    assert all(picture.problem is None for picture in pictures)
    later = list(Source(source).pictures(after=5))
    assert [picture.name for picture in later] == [picture.name for picture in pictures[5:]]
    split = PUBLISHED if published else HASH
    prepare_images(settings(source, split), tmp_path / "out")
    prepared = dataset.load(tmp_path / "out")
    assert len(prepared.images) == images
    assert prepared.manifest["form"] == form
    if published:
        assert len(prepared.split("test")) == published
    else:
        with pytest.raises(UserError, match=r"data\.split: this source has no published split"):
            prepare_images(settings(source, PUBLISHED), tmp_path / "again")


def test_the_published_split_is_by_celeba_hq_s_index(tmp_path):
    source = into_zip(tmp_path / "CelebAMask-HQ.zip", celebamask())
    prepare_images(settings(source, PUBLISHED), tmp_path / "out")
    index = dataset.load(tmp_path / "out").index
    tested = sorted(int(Path(name).stem) for name in index[index["split"] == "test"]["name"])
    assert tested == [27_000, 27_001, 29_999]


def test_a_source_s_own_three_parts_are_kept(tmp_path):
    prepare_images(settings(into_folder(tmp_path / "celeba", celeba()), PUBLISHED), tmp_path / "out")
    index = dataset.load(tmp_path / "out").index
    assert dict(index["split"].value_counts()) == {"train": 10, "validation": 1, "test": 1}


def test_the_innermost_folder_can_be_named(tmp_path):
    root = into_folder(tmp_path / "all", kaggle())
    assert Source(root / "celeba_hq_256").form.name == "CelebA-HQ, Kaggle's"


def test_torchvision_s_folder_before_and_after_it_is_unpacked(tmp_path):
    files = celeba()
    inner = {name: data for name, data in files.items() if name.endswith(".jpg")}
    partition = {"list_eval_partition.txt": files["list_eval_partition.txt"]}
    buffer = io.BytesIO()
    into_zip(buffer, inner)
    packed = into_folder(tmp_path / "packed", partition | {"img_align_celeba.zip": buffer.getvalue()})
    both = into_folder(tmp_path / "both", files | {"img_align_celeba.zip": buffer.getvalue()})
    for root in (packed, both):
        pictures = list(Source(root).pictures())
        assert len(pictures) == 12
        assert [picture.part for picture in pictures].count("test") == 1


def test_of_tfrecords_in_several_resolutions_the_highest(tmp_path):
    files = {f"celeba-hq-r{level:02}.tfrecords": record(array(2**level)) * 3 for level in (5, 7, 6)}
    source = Source(into_folder(tmp_path / "tf", files))
    assert source.form.name == "PGGAN's tfrecords"
    assert [picture.data.shape for picture in source.pictures()] == [(3, 128, 128)] * 3


def test_records_of_both_layouts_give_the_same_pixels(tmp_path):
    pixels = array(32)
    files = {"a-r05.tfrecords": record(pixels) + record(np.ascontiguousarray(pixels.transpose(1, 2, 0)))}
    first, second = Source(into_folder(tmp_path / "tf", files)).pictures()
    np.testing.assert_array_equal(first.data, pixels)
    np.testing.assert_array_equal(second.data, pixels)


@pytest.mark.parametrize("damage", ["cut", "a flipped bit", "a wrong length", "not an image"])
def test_damaged_records_stop_with_one_line(tmp_path, damage):
    data = record(array(16)) * 3
    example = example_pb2.Example()
    example.features.feature["label"].int64_list.value.append(1)
    damaged = {
        "cut": data[:-100],
        "a flipped bit": data[:500] + bytes([data[500] ^ 1]) + data[501:],
        "a wrong length": b"\xff" * 8 + data[8:],
        "not an image": record(array(16)[:2]),
    }
    source = into_folder(tmp_path / "tf", {"a-r04.tfrecords": damaged[damage]})
    with pytest.raises(UserError, match=r"a-r04\.tfrecords: ") as error:
        list(Source(source).pictures())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", ["cut", "no image column"])
def test_damaged_parquet_stops_with_one_line(tmp_path, damage):
    whole = hugging_face()["data/train-00000-of-00002.parquet"]
    buffer = io.BytesIO()
    pq.write_table(pa.table({"picture": [b"x"]}), buffer)
    source = into_folder(tmp_path / "hf", {"train-0.parquet": whole[:-50] if damage == "cut" else buffer.getvalue()})
    with pytest.raises(UserError, match=r"train-0\.parquet: ") as error:
        list(Source(source).pictures())
    assert "\n" not in str(error.value)


def test_the_manifest_depends_on_contents_alone(tmp_path):
    """The same images by another name of the archive, at another time: the same bytes."""
    files, made = kaggle(), []
    for name in ("a.zip", "b.zip"):
        prepare_images(settings(into_zip(tmp_path / name, files), PUBLISHED), tmp_path / "out")
        manifest = json.loads((tmp_path / "out" / "manifest.json").read_text()) | {"source": None}
        made.append((manifest, (tmp_path / "out" / "images.npy").read_bytes()))
    assert made[0] == made[1]
