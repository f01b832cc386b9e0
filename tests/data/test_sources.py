"""Every form in which people have faces: recognised, read, named, split; each a small file of exactly that layout."""

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from image_files import example, image_record, into_folder, into_tar, into_zip, record, shard
from PIL import Image

from fvae.data import dataset
from fvae.data.inspection import inspect
from fvae.data.prepare import prepare_images
from fvae.data.sources import Source
from fvae.errors import UserError
from fvae.params import Images, PublishedSplit, load

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


def array(side, channels_last=False):
    return RNG.integers(0, 256, (side, side, 3) if channels_last else (3, side, side), dtype=np.uint8)


def npy(pixels):
    buffer = io.BytesIO()
    np.save(buffer, pixels)
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
        f"celeba-tfr/{part}/{part}-r08-s-{i:04}-of-{n:04}.tfrecords": b"".join(
            image_record(array(256, True)) for _ in "ab"
        )
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
    "data256x256.tar": (
        into_tar,
        lambda: {f"data256x256/{i + 1:05}.jpg": encoded(256, 256) for i in INDICES},
        "CelebA-HQ, TFDS's tar",
        8,
        3,
    ),
    "data128x128.tar.gz": (
        lambda path, files: into_tar(path, files, "w:gz"),
        lambda: {f"data128x128/{i + 1:05}.jpg": encoded(128, 128) for i in INDICES},
        "CelebA-HQ, TFDS's tar",
        8,
        3,
    ),
    "celeba_hq_256.zip": (
        into_zip,
        lambda: {f"{i:05}.jpg": encoded(256, 256) for i in INDICES},
        "CelebA-HQ, Kaggle's",
        8,
        3,
    ),
    "CelebAMask-HQ.tar.gz": (  # of which the masks come first
        lambda path, files: into_tar(path, dict(reversed(files.items())), "w:gz"),
        celebamask,
        "CelebAMask-HQ",
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
    index = pd.read_csv(tmp_path / "out/index.csv")
    tested = sorted(int(Path(name).stem) for name in index[index["split"] == "test"]["name"])
    assert tested == [27_000, 27_001, 29_999]


def test_celebamask_hq_as_it_is_downloaded(tmp_path, capsys):
    """By the parameters of celeba64: each image is of one colour, the masks and what macOS adds are black."""
    files = {}
    for i in INDICES:
        buffer = io.BytesIO()
        Image.new("RGB", (1024, 1024), (40 + i % 7 * 20, 120, 200 - i % 5 * 30)).save(buffer, "JPEG", quality=95)
        files[f"CelebAMask-HQ/CelebA-HQ-img/{i}.jpg"] = buffer.getvalue()
    mask = io.BytesIO()
    Image.new("RGB", (512, 512)).save(mask, "PNG")
    masks = [f"{i // 2000}/{i:05}_{part}.png" for i in INDICES for part in ("skin", "hair", "l_eye")]
    files |= {f"CelebAMask-HQ/CelebAMask-HQ-mask-anno/{name}": mask.getvalue() for name in masks}
    texts = ("CelebA-HQ-to-CelebA-mapping", "CelebAMask-HQ-attribute-anno", "CelebAMask-HQ-pose-anno", "README")
    files |= {f"CelebAMask-HQ/{name}.txt": b"0 1 2\n" for name in texts}
    files |= {"CelebAMask-HQ/.DS_Store": b"x", "__MACOSX/CelebAMask-HQ/CelebA-HQ-img/._0.jpg": b"x"}
    source = into_zip(tmp_path / "CelebAMask-HQ.zip", files)

    data = load(Path(__file__).parents[2] / "params.yaml").experiments["celeba64"].data
    split = PublishedSplit(kind="published", validation=0.5)
    prepare_images(data.model_copy(update={"path": str(source), "split": split}), tmp_path / "out")

    assert (
        f"read as CelebAMask-HQ; {len(masks)} other images are left out ({len(masks)} .png)" in capsys.readouterr().err
    )
    prepared = dataset.load(tmp_path / "out")
    assert (prepared.manifest["left_out"], prepared.manifest["rejected"]) == (len(masks), 0)
    index = pd.read_csv(tmp_path / "out/index.csv")
    numbers = [int(Path(name).stem) for name in index["name"]]
    assert sorted(numbers) == INDICES
    assert [split == "test" for split in index["split"]] == [number >= 27_000 for number in numbers]
    for number, image in zip(numbers, prepared.images, strict=True):
        colour = np.array([40 + number % 7 * 20, 120, 200 - number % 5 * 30])
        assert np.abs(image.mean((1, 2)) - colour).max() < 3


def test_a_source_s_own_three_parts_are_kept(tmp_path):
    prepare_images(settings(into_folder(tmp_path / "celeba", celeba()), PUBLISHED), tmp_path / "out")
    index = pd.read_csv(tmp_path / "out/index.csv")
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
    files = {f"celeba-hq-r{level:02}.tfrecords": image_record(array(2**level)) * 3 for level in (5, 7, 6)}
    source = Source(into_folder(tmp_path / "tf", files))
    assert source.form.name == "PGGAN's tfrecords"
    assert [picture.data.shape for picture in source.pictures()] == [(3, 128, 128)] * 3


def test_of_tfrecords_in_a_compressed_tar_the_highest(tmp_path):
    files = {f"celeba-hq-r{level:02}.tfrecords": image_record(array(2**level)) * 3 for level in (5, 7, 6)}
    source = Source(into_tar(tmp_path / "tf.tgz", files, "w:gz"))
    assert [picture.data.shape for picture in source.pictures()] == [(3, 128, 128)] * 3


@pytest.mark.parametrize("first", [0, 1])
def test_an_index_that_starts_with_one_is_celeba_hq_s_plus_one(tmp_path, first):
    files = {f"data128x128/{i + first:05}.jpg": encoded(128, 128) for i in INDICES}
    pictures = Source(into_folder(tmp_path / "tfds", files)).pictures()
    assert [picture.index for picture in pictures] == INDICES


def test_records_of_both_layouts_give_the_same_pixels(tmp_path):
    pixels = array(32)
    files = {"a-r05.tfrecords": image_record(pixels) + image_record(np.ascontiguousarray(pixels.transpose(1, 2, 0)))}
    first, second = Source(into_folder(tmp_path / "tf", files)).pictures()
    np.testing.assert_array_equal(first.data, pixels)
    np.testing.assert_array_equal(second.data, pixels)


def damaged_records():
    data = image_record(array(16)) * 3
    return {
        "cut": data[:-100],
        "a flipped bit": data[:500] + bytes([data[500] ^ 1]) + data[501:],
        "a wrong length": b"\xff" * 8 + data[8:],
        "not an image": image_record(array(16)[:2]),
        "something else": record(example(label=[1])),
        "no example": record(b"\xff\xff\xff\xffgarbage"),
        "numbers for bytes": record(example(shape=[3, 16, 16], data=[1])),
        "no side": record(example(shape=[0, 0, 3], data=[b""])),
        "a negative side": record(example(shape=[3, -1, -12], data=[bytes(36)])),
    }


@pytest.mark.parametrize("damage", damaged_records())
def test_damaged_records_stop_with_one_line(tmp_path, damage):
    source = into_folder(tmp_path / "tf", {"a-r04.tfrecords": damaged_records()[damage]})
    with pytest.raises(UserError, match=r"a-r04\.tfrecords: ") as error:
        list(Source(source).pictures())
    assert "\n" not in str(error.value)


def damaged_shards():
    def table(**columns):
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer)
        return buffer.getvalue()

    return {
        "empty file": b"",
        "cut": table(image=[b"x"])[:-5],
        "no image column": table(picture=[b"x"]),
        "strings": table(image=["a.jpg"]),
        "integers": table(image=[1, 2]),
        "lists": table(image=[[1, 2]]),
        "structs of strings": table(image=[{"bytes": "a", "path": "a.jpg"}]),
        "structs without bytes": table(image=[{"path": "a.jpg"}]),
    }


@pytest.mark.parametrize("damage", damaged_shards())
def test_damaged_parquet_stops_with_one_line(tmp_path, damage):
    source = into_folder(tmp_path / "hf", {"train-0.parquet": damaged_shards()[damage]})
    with pytest.raises(UserError, match=r"train-0\.parquet: ") as error:
        list(Source(source).pictures())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a-r04.tfrecords", "train-0.parquet"])
def test_records_of_nothing_are_no_images(tmp_path, name):
    data = shard(pa.array([], pa.binary())) if name.endswith("parquet") else b""
    source = into_folder(tmp_path / "nothing", {name: data})
    for use in (lambda: prepare_images(settings(source, HASH), tmp_path / "out"), lambda: inspect(str(source), None)):
        with pytest.raises(UserError, match="nothing: no images in it"):
            use()


def npy_header(shape):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def packed_arrays():
    buffer = io.BytesIO()
    np.savez(buffer, a=1)
    return buffer.getvalue()


BAD_ARRAYS = {  # content, what is said
    "empty": (b"", "empty file"),
    "text": (b"text", "not an array"),
    "of a terabyte": (npy_header((1, 3, 10**6, 10**6)), "not an array"),
    "of more than there is": (npy_header((1, 3, 10**12, 10**12)), "not an array"),
    "cut": (npy(np.zeros((1, 3, 8, 8), np.uint8))[:-9], "not an array"),
    "npz": (packed_arrays(), "not an array"),
    "a header of brackets": (b"\x93NUMPY\x01\x00\x20\x00" + b"(" * 31 + b"\n", "not an array"),
    "of objects": (b"\x93NUMPY\x01\x00\x10\x00{'descr':'|O'}\n", "not an array"),
    "a number": (npy(np.uint8(3)), "an array of uint8 (), not of uint8 (1, 3, H, W)"),
    "of floats": (npy(np.zeros((1, 3, 8, 8))), "an array of float64 (1, 3, 8, 8), not of uint8 (1, 3, H, W)"),
}


@pytest.mark.parametrize("what", BAD_ARRAYS)
def test_an_array_that_is_none_says_why(tmp_path, what):
    content, said = BAD_ARRAYS[what]
    (picture,) = Source(into_folder(tmp_path / "hq", {"imgHQ00000.npy": content})).pictures()
    assert picture.problem == said


@pytest.mark.parametrize("line", [b"000001.jpg", b"000001.jpg 3", b"000001.jpg train", b"a b 0", b"\xff\xfe 0"])
def test_a_malformed_partition_is_one_clear_line(tmp_path, line):
    files = celeba() | {"list_eval_partition.txt": b"\n000002.jpg 0\n" + line + b"\n"}
    with pytest.raises(UserError, match=r"list_eval_partition\.txt: (line 3 is not|damaged or unreadable)"):
        Source(into_folder(tmp_path / "celeba", files))


def test_duplicates_across_the_published_splits_stay_in_the_test(tmp_path):
    files = kaggle()
    files["celeba_hq_256/00001.jpg"] = files["celeba_hq_256/27000.jpg"]
    prepare_images(settings(into_folder(tmp_path / "hq", files), PUBLISHED), tmp_path / "out")
    index = pd.read_csv(tmp_path / "out/index.csv", index_col="name")["split"]
    assert index["celeba_hq_256/27000.jpg"] == "test"
    assert "celeba_hq_256/00001.jpg" not in index
    rejected = (tmp_path / "out/rejected.csv").read_text()
    assert "celeba_hq_256/00001.jpg,duplicate of celeba_hq_256/27000.jpg" in rejected


def test_a_split_that_only_duplicates_fall_in_is_empty(tmp_path):
    files = kaggle()
    for name in files:
        if int(name[14:19]) < 27_000:
            files[name] = files["celeba_hq_256/27000.jpg"]
    with pytest.raises(UserError, match="no image falls in the train split"):
        prepare_images(settings(into_folder(tmp_path / "hq", files), PUBLISHED), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_manifest_depends_on_contents_alone(tmp_path):
    """The same archive by another name, at another time: the same bytes."""
    made = []
    into_zip(tmp_path / "a.zip", kaggle())
    shutil.copyfile(tmp_path / "a.zip", tmp_path / "b.zip")
    os.utime(tmp_path / "b.zip", (0, 0))
    for name in ("a.zip", "b.zip"):
        prepare_images(settings(tmp_path / name, PUBLISHED), tmp_path / "out")
        manifest = json.loads((tmp_path / "out" / "manifest.json").read_text()) | {"source": None}
        made.append((manifest, (tmp_path / "out" / "images.npy").read_bytes()))
    assert made[0] == made[1]
