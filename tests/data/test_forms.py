"""Which files of a source are read, which are left out, and where its published splits are looked for."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from image_files import into_folder, into_tar, into_zip
from PIL import Image, features

from fvae.data import dataset, forms, images
from fvae.data.inspection import inspect
from fvae.data.prepare import prepare_images
from fvae.data.rejections import Rejected
from fvae.data.sources import Source
from fvae.errors import UserError
from fvae.params import Images

RNG = np.random.default_rng(0)
PUBLISHED = {"kind": "published", "validation": 0.5}


def encoded(side, format="PNG", height=None):
    buffer = io.BytesIO()
    pixels = RNG.integers(0, 256, (height or side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


FACES = {f"{i:02}.png": encoded(20) for i in range(24)}


def settings(path, **changes):
    how = {"kind": "images", "path": str(path), "size": 16, "bits": 8, "crop": "center", "filter": "area"}
    split = {"kind": "hash", "validation": 0.3, "test": 0.3}
    return Images(**how | {"split": split, "limit": None, "max_rejected": 0.0} | changes)


CONTAINERS = {
    "faces": into_folder,
    "faces.zip": into_zip,
    "faces.tar": into_tar,
    "faces.tgz": lambda path, files: into_tar(path, files, "w:gz"),
}
UNLISTED = {
    "jpeg": encoded(20, "JPEG"),
    "b/png": encoded(20),
    "gif": encoded(20, "GIF"),
    "webp": encoded(20, "WEBP"),
    "tiff": encoded(20, "TIFF"),
    "LICENSE": b"You may use it.\n",
    "empty": b"",
    "c.tga": encoded(20, "TGA"),
    "d.TGA": encoded(20, "TGA"),
    "e.psd": b"8BPS",
    "f.txt": b"text",
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_images_without_a_suffix_are_read_and_others_told_as_left_out(tmp_path, capsys, name):
    path = CONTAINERS[name](tmp_path / name, FACES | UNLISTED)
    source = Source(path)
    assert source.count == 24 + 5
    assert source.left_out == {".tga": 2, ".psd": 1}
    pictures = [picture.name for picture in source.pictures()]
    assert set(pictures) == set(FACES) | {"jpeg", "b/png", "gif", "webp", "tiff"}
    assert [picture.name for picture in Source(path).pictures(after=10)] == pictures[10:]
    prepare_images(settings(path), tmp_path / "out")
    assert f"fvae: {path}: read as images; 3 other images are left out (2 .tga, 1 .psd)" in capsys.readouterr().err
    assert len(dataset.load(tmp_path / "out").images) == 29
    assert dataset.load(tmp_path / "out").manifest["left_out"] == 3
    assert "and 3 others that are not of that form and would be left out (2 .tga, 1 .psd)" in inspect(str(path), None)


def test_images_without_a_suffix_alone_are_a_source(tmp_path):
    files = {name.removesuffix(".png"): data for name, data in FACES.items()}
    assert len(list(Source(into_folder(tmp_path / "faces", files)).pictures())) == 24


def test_in_a_named_form_they_are_left_out(tmp_path):
    files = {f"celeba_hq_256/{i:05}.jpg": encoded(256, "JPEG") for i in range(3)} | UNLISTED
    source = Source(into_folder(tmp_path / "faces", files))
    assert source.left_out == {"no suffix": 5, ".tga": 2, ".psd": 1}
    assert source.count == len(list(source.pictures())) == 3


def test_a_source_of_images_that_are_not_read_says_so(tmp_path):
    path = into_folder(tmp_path / "faces", {"a.tga": b"x", "b.tga": b"x", "c.jxl": b"x"})
    with pytest.raises(UserError, match=r"faces: no images in it that are read, but 2 \.tga, 1 \.jxl: convert them to"):
        Source(path)


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00" + bytes(100)
AVIF = b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00" + bytes(100)


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.jpg", "a"])
def test_heic_is_rejected_as_heic(tmp_path, name):
    path = into_folder(tmp_path / "faces", FACES | {name: HEIC})
    prepare_images(settings(path, max_rejected=0.1), tmp_path / "out")
    rejected = pd.read_csv(tmp_path / "out/rejected.csv").to_numpy().tolist()
    assert rejected == [[name, "does not decode: HEIC, which this Pillow does not read; convert it to PNG or JPEG"]]


def test_only_what_this_pillow_decodes_is_listed(tmp_path):
    with pytest.raises(UserError, match=r"no images in it") as error:
        Source(into_folder(tmp_path / "faces", {"a.txt": b""}))
    assert ".jpg" in str(error.value)
    assert ".heic" not in str(error.value)
    for suffix, feature in ((".avif", "avif"), (".webp", "webp")):
        assert (suffix in str(error.value)) == features.check(feature) == (suffix in forms.DECODED)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_read(tmp_path):
    files = {name.replace("png", "avif"): encoded(20, "AVIF") for name in FACES}
    prepare_images(settings(into_folder(tmp_path / "faces", files)), tmp_path / "out")
    assert len(dataset.load(tmp_path / "out").images) == 24


def test_a_pillow_without_avif_says_so(monkeypatch):
    monkeypatch.setattr(images, "FORMATS", [name for name in images.FORMATS if name != "AVIF"])
    with pytest.raises(Rejected, match="AVIF, which this Pillow does not read; convert it to PNG or JPEG"):
        images.decode(AVIF, size=16, crop="center", filter="area")


OWN = {  # sets with the names of known ones, and images of other sizes
    "CelebA-HQ-img/{}.jpg": ("CelebAMask-HQ", 512),
    "img_align_celeba/{:06}.jpg": ("CelebA, aligned", 64),
    "data128x128/{:05}.png": ("CelebA-HQ, TFDS's tar", 100),
}


@pytest.mark.parametrize("name", OWN)
def test_an_own_set_with_a_known_name_can_be_read_as_images(tmp_path, name):
    form, side = OWN[name]
    path = into_folder(tmp_path / "faces", {name.format(i): encoded(side, "PNG") for i in range(24)})
    with pytest.raises(UserError, match="24 of 24 images rejected") as error:
        prepare_images(settings(path), tmp_path / "out")
    hint = f"data.form: it is read as {form}; if it is another set, say form: images, to read any images"
    assert hint in str(error.value)
    assert hint in inspect(str(path), settings(path))
    prepare_images(settings(path, form="images"), tmp_path / "out")
    made = dataset.load(tmp_path / "out")
    assert len(made.images) == 24
    assert made.manifest["form"] == "images"
    assert inspect(str(path), settings(path, form="images")).startswith(f"{path}: images, 24 images")


def celeba(prefix="img_align_celeba/"):
    return {f"{prefix}{i:06}.jpg": encoded(178, "JPEG", 218) for i in range(1, 13)}


TXT = "".join(f"{i:06}.jpg {max(0, i - 10)}\n" for i in range(1, 13)).encode()
CSV = b"\xef\xbb\xbfimage_id,partition\r\n" + TXT.replace(b" ", b",").replace(b"\n", b"\r\n")
LISTS = {"list_eval_partition.txt": TXT, "list_eval_partition.csv": CSV}


def split_sizes(path, out):
    prepare_images(settings(path, split=PUBLISHED), out)
    return json.loads((out / "manifest.json").read_text())["splits"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("place", ["inside", "deep inside", "beside", "in the zip", "in the tar"])
def test_the_published_list_is_found(tmp_path, name, place):
    if place == "inside":
        path = into_folder(tmp_path / "celeba", celeba() | {name: LISTS[name]})
    elif place == "deep inside":  # as CelebA is distributed
        path = into_folder(tmp_path / "celeba", celeba("Img/img_align_celeba/") | {f"Eval/{name}": LISTS[name]})
    elif place == "beside":
        path = into_folder(tmp_path / "celeba", celeba() | {name: LISTS[name]}) / "img_align_celeba"
    elif place == "in the zip":  # as Kaggle gives it
        path = into_zip(tmp_path / "archive.zip", celeba("img_align_celeba/img_align_celeba/") | {name: LISTS[name]})
    else:
        path = into_tar(tmp_path / "archive.tar", celeba() | {name: LISTS[name]})
    assert split_sizes(path, tmp_path / "out") == {"train": 10, "validation": 1, "test": 1}


def test_without_a_published_split_the_lists_that_were_looked_for_are_named(tmp_path):
    path = into_folder(tmp_path / "celeba", celeba())
    with pytest.raises(UserError, match=r"no list_eval_partition\.txt or list_eval_partition\.csv in it or beside it"):
        split_sizes(path, tmp_path / "out")


def test_a_list_that_lacks_images_names_one(tmp_path):
    path = into_folder(tmp_path / "celeba", celeba() | {"list_eval_partition.csv": CSV.rsplit(b"\r\n", 2)[0]})
    with pytest.raises(UserError, match=r"lacks 1 of 12 images, such as img_align_celeba/000012\.jpg"):
        split_sizes(path, tmp_path / "out")


@pytest.mark.parametrize("line", [b"000001.jpg", b"000001.jpg,3", b"a,b,0", b",0", b"image_id,partition", b"\xff,0"])
@pytest.mark.parametrize("where", ["folder", "zip"])
def test_a_malformed_list_is_one_clear_line(tmp_path, line, where):
    files = celeba() | {"list_eval_partition.csv": b"image_id,partition\n000002.jpg,0\n" + line + b"\n"}
    path = into_folder(tmp_path / "celeba", files) if where == "folder" else into_zip(tmp_path / "celeba.zip", files)
    with pytest.raises(UserError, match=r"list_eval_partition\.csv: (line 3 is not|damaged or unreadable)") as error:
        Source(path)
    assert "\n" not in str(error.value)
