"""prepare: every form of source gives the same array; what cannot be used is told; nothing is left half-written."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import PIL
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from fvae.data import dataset, images, portraits
from fvae.data.journal import Outcome
from fvae.data.prepare import prepare_images, prepare_portraits
from fvae.data.rejections import Rejected
from fvae.data.splits import assign
from fvae.errors import UserError
from fvae.params import FolderSplit, HashSplit, Images, Portraits

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
RNG = np.random.default_rng(0)
FOLDERS = {"kind": "folder", "validation": 0.3, "test": 0.3}
PORTRAITS = Portraits(kind="portraits", size=16, bits=8, train=20, validation=5, test=6, seed=1)


def settings(source, **changes):
    how = {
        "kind": "images",
        "path": str(source),
        "size": 16,
        "bits": 8,
        "crop": "center",
        "filter": "lanczos",
        "split": {"kind": "hash", "validation": 0.3, "test": 0.3},
        "limit": None,
        "max_rejected": 0.0,
    }
    return Images(**how | changes)


def prepare(source, out, **changes):
    prepare_images(settings(source, **changes), out)


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def decode(data, **how):
    return images.decode(data, size=16, **how)


def photograph(width=40, height=30):
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def files():
    """Names and bytes of images."""
    return {f"faces/Name_{i}/a.jpg": encoded(photograph(), "JPEG", quality=95) for i in range(24)}


def folder(path, files):
    for name, data in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def archive_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def archive_tar(path, files, mode):
    with tarfile.open(path, mode) as archive:
        for name, data in reversed(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_every_form_of_source_gives_the_same_bytes(files, tmp_path):
    clutter = files | {
        "__MACOSX/._x.jpg": b"",
        "faces/.DS_Store": b"",
        "faces/readme.txt": b"faces",
        "faces/._y.jpg": b"",
    }
    sources = [
        folder(tmp_path / "folder", clutter),
        archive_zip(tmp_path / "faces.zip", clutter),
        archive_tar(tmp_path / "faces.tar", clutter, "w"),
        archive_tar(tmp_path / "faces.tgz", clutter, "w:gz"),
        archive_tar(tmp_path / "no_suffix", clutter, "w:gz"),
    ]
    made = []
    for number, source in enumerate(sources):
        out = tmp_path / f"out{number}"
        prepare(source, out)
        assert {path.name for path in out.iterdir()} == {"images.npy", "index.csv", "rejected.csv", "manifest.json"}
        manifest = json.loads((out / "manifest.json").read_text())
        made.append(((out / "images.npy").read_bytes(), (out / "index.csv").read_bytes(), manifest["originals_sha256"]))
    assert all(each == made[0] for each in made)


def test_the_index_says_where_each_row_came_from(files, tmp_path):
    prepare(archive_zip(tmp_path / "faces.zip", files), tmp_path / "out")
    prepared = dataset.load(tmp_path / "out")
    index = pd.read_csv(tmp_path / "out/index.csv")
    assert list(index.columns) == ["row", "name", "sha256", "split"]
    for row in index.itertuples():
        data = files[row.name]
        assert row.sha256 == hashlib.sha256(data).hexdigest()
        with Image.open(io.BytesIO(data)) as image:
            expected = np.asarray(image.crop((5, 0, 35, 30)).resize((16, 16), Image.Resampling.LANCZOS)).astype(int)
        assert np.abs(prepared.images[row.row] - expected.transpose(2, 0, 1)).max() <= 1
    assert sorted(index["split"], key=["train", "validation", "test"].index) == list(index["split"])
    assert sum(len(prepared.split(name)) for name in ("train", "validation", "test")) == 24
    train = prepared.split("train").transpose(0, 2, 3, 1).reshape(-1, 3)
    np.testing.assert_allclose(prepared.manifest["mean"], train.mean(0), atol=1e-3)
    np.testing.assert_allclose(prepared.manifest["std"], train.std(0), atol=1e-3)


def test_splits_stay_when_files_are_added(files, tmp_path):
    some = dict(list(files.items())[:16])
    for name, part in (("some", some), ("all", files)):
        prepare(archive_zip(tmp_path / f"{name}.zip", part), tmp_path / name)
    before, after = (pd.read_csv(tmp_path / name / "index.csv", index_col="name")["split"] for name in ("some", "all"))
    assert (after[before.index] == before).all()


def test_split_shares():
    lines = [Outcome(str(i), hashlib.sha256(str(i).encode()).hexdigest(), None, None, None) for i in range(4000)]
    split = HashSplit(kind="hash", validation=0.1, test=0.2)
    splits = pd.Series(assign(lines, split, indexed=False)).value_counts(normalize=True)
    assert splits["test"] == pytest.approx(0.2, abs=0.03)
    assert splits["validation"] == pytest.approx(0.1, abs=0.02)


@pytest.fixture(scope="module")
def people():
    """Names and bytes of images: people with one to three of them."""
    return {f"lfw/Name_{i}/{j}.jpg": encoded(photograph(), "JPEG") for i in range(20) for j in range(1 + i % 3)}


def splits_by_name(out):
    return pd.read_csv(out / "index.csv", index_col="name")["split"]


def test_a_folder_split_has_no_person_in_two_splits_in_any_container(people, tmp_path):
    sources = [
        folder(tmp_path / "folder", people),
        archive_zip(tmp_path / "faces.zip", people),
        archive_tar(tmp_path / "faces.tgz", people, "w:gz"),
    ]
    for number, source in enumerate(sources):
        prepare(source, tmp_path / str(number), split=FOLDERS)
    splits = [splits_by_name(tmp_path / str(number)).sort_index() for number in range(3)]
    assert splits[0].equals(splits[1])
    assert splits[0].equals(splits[2])
    assert len(splits[0]) == len(people)
    of_person = splits[0].groupby(splits[0].index.str.split("/").str[1]).unique()
    assert of_person.map(len).max() == 1
    assert {splits[0] for splits in of_person} == {"train", "validation", "test"}


def test_a_folder_split_stays_when_people_and_images_are_added_or_packed_otherwise(people, tmp_path):
    some = {f"deeper/{name}": data for name, data in people.items() if name.endswith("/0.jpg")}
    prepare(archive_zip(tmp_path / "some.zip", some), tmp_path / "some", split=FOLDERS)
    more = people | {f"lfw/More_{i}/0.jpg": encoded(photograph(), "JPEG") for i in range(5)}
    prepare(archive_zip(tmp_path / "more.zip", more), tmp_path / "more", split=FOLDERS)
    before, after = splits_by_name(tmp_path / "some"), splits_by_name(tmp_path / "more")
    assert (after[before.index.str.removeprefix("deeper/")].to_numpy() == before.to_numpy()).all()


def test_the_shares_of_a_folder_split_are_of_folders():
    outcomes = [Outcome(f"person {i}/{j}.jpg", "", None, None, None) for i in range(4000) for j in (0, 1)]
    split = FolderSplit(kind="folder", validation=0.1, test=0.2)
    splits = pd.Series(assign(outcomes, split, indexed=False))[::2].value_counts(normalize=True)
    assert splits["test"] == pytest.approx(0.2, abs=0.03)
    assert splits["validation"] == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("stray.jpg", "1 of 40 images lie in no folder, such as stray.jpg"),
        (None, r"the images lie in 1 folders \(Name_0\), too few for 3 splits"),
    ],
    ids=["no folder", "one folder"],
)
def test_images_that_no_folder_split_can_take_are_one_clear_line(people, tmp_path, more, message):
    files = people | {more: encoded(photograph())} if more else {"Name_0/a.jpg": encoded(photograph())}
    with pytest.raises(UserError, match=message) as error:
        prepare(archive_zip(tmp_path / "faces.zip", files), tmp_path / "out", split=FOLDERS)
    assert "\n" not in str(error.value)


def test_duplicates_are_told_and_left_out(files, tmp_path):
    twice = files | {"faces/zz_copy.jpg": files["faces/Name_3/a.jpg"]}
    prepare(archive_zip(tmp_path / "faces.zip", twice), tmp_path / "out")
    rejected = pd.read_csv(tmp_path / "out" / "rejected.csv")
    assert rejected.to_numpy().tolist() == [["faces/zz_copy.jpg", "duplicate of faces/Name_3/a.jpg"]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"this is text", "does not decode"),
        (encoded(photograph(), "JPEG")[:200], "does not decode"),
        (encoded(photograph(8, 8)), "smaller than 16"),
    ],
    ids=["empty", "text", "truncated", "small"],
)
def test_what_cannot_be_used_is_rejected_with_its_reason(files, tmp_path, data, reason):
    source = archive_zip(tmp_path / "faces.zip", files | {"faces/bad.jpg": data})
    with pytest.raises(UserError, match=r"1 of 25 images rejected \(4.0%.*bad.jpg") as error:
        prepare(source, tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()
    prepare(source, tmp_path / "out", max_rejected=0.1)
    assert reason in (tmp_path / "out" / "rejected.csv").read_text()
    assert len(dataset.load(tmp_path / "out").images) == 24
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_modes_are_seen_as_a_person_sees_them():
    def seen(data):
        return decode(data, crop="none", filter="area").transpose(1, 2, 0)[0, 0].tolist()

    colour = (200, 100, 50)
    square = Image.new("RGB", (16, 16), colour)
    assert seen(encoded(square)) == list(colour)
    assert seen(encoded(square.convert("P", palette=Image.Palette.ADAPTIVE))) == list(colour)
    np.testing.assert_allclose(seen(encoded(square.convert("CMYK"), "TIFF")), colour, atol=2)
    assert seen(encoded(Image.new("L", (16, 16), 77))) == [77] * 3
    assert seen(encoded(Image.fromarray(np.full((16, 16), 40_000, np.uint16)))) == [40_000 >> 8] * 3
    assert seen(encoded(Image.new("RGBA", (16, 16), (0, 0, 0, 0)))) == [255] * 3
    half = seen(encoded(Image.new("RGBA", (16, 16), (*colour, 128))))
    np.testing.assert_allclose(half, [(255 + value) / 2 for value in colour], atol=2)


def test_exif_rotation_is_applied():
    image = Image.new("RGB", (16, 16), "white")
    image.paste((255, 0, 0), (0, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned = decode(encoded(image, exif=exif.tobytes()), crop="none", filter="area")
    assert turned[:, 8, 15].tolist() == [255, 0, 0]
    assert turned[:, 8, 0].tolist() == [255, 255, 255]


def test_crops():
    wide = np.zeros((20, 40, 3), np.uint8)
    wide[:, 10:30] = 90
    data = encoded(Image.fromarray(wide))
    assert (decode(data, crop="center", filter="area") == 90).all()
    assert (decode(data, crop=(12, 2, 28, 18), filter="area") == 90).all()
    with pytest.raises(Rejected, match="not square"):
        decode(data, crop="none", filter="area")
    with pytest.raises(Rejected, match="does not hold the box"):
        decode(data, crop=(30, 0, 50, 20), filter="area")


def test_resizing_does_not_alias():
    """A checkerboard of single pixels, reduced four times, is grey; without antialiasing it would be black or white."""
    board = ((np.indices((64, 64)).sum(0) % 2) * 255).astype(np.uint8)
    small = decode(encoded(Image.fromarray(board)), crop="none", filter="bilinear")
    assert np.abs(small.astype(int) - 127).max() < 12


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "damaged", "no images"])
def test_sources_that_hold_nothing_are_one_clear_line(files, tmp_path, kind):
    source = tmp_path / "faces.tgz"
    if kind == "empty":
        source.mkdir()
    elif kind == "text":
        source.write_text("not an archive")
    elif kind == "damaged":
        archive_tar(source, files, "w:gz")
        source.write_bytes(source.read_bytes()[:9000])
    elif kind == "no images":
        archive_zip(source, {"notes.txt": b"nothing"})
    with pytest.raises(UserError, match=r"faces\.tgz") as error:
        prepare(source, tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_an_empty_split_is_refused(files, tmp_path):
    with pytest.raises(UserError, match="no image falls in the validation split"):
        prepare(
            archive_zip(tmp_path / "faces.zip", files),
            tmp_path / "out",
            split={"kind": "hash", "validation": 0.0, "test": 0.3},
        )


def test_five_bits_keep_the_highest_five(files, tmp_path):
    source = archive_zip(tmp_path / "faces.zip", files)
    for bits in (5, 8):
        prepare(source, tmp_path / f"{bits}", bits=bits)
    five, eight = (dataset.load(tmp_path / f"{bits}") for bits in (5, 8))
    np.testing.assert_array_equal(five.images, eight.images // 8 * 8)
    assert five.manifest["bits"] == 5
    five, eight = (pd.read_csv(tmp_path / f"{bits}/index.csv") for bits in (5, 8))
    assert list(five["sha256"]) == list(eight["sha256"])


def test_the_manifest_says_what_decoded_the_images(files, tmp_path):
    prepare(archive_zip(tmp_path / "faces.zip", files), tmp_path / "out")
    manifest = dataset.load(tmp_path / "out").manifest
    assert manifest["pillow"] == PIL.__version__
    assert torch.__version__.startswith(manifest["torch"])


@pytest.mark.parametrize(
    "box",
    [(0, 0, 0, 0), (20, 20, 10, 10), (-10, -10, 200, 200), (0, 0, 300, 20), (0, 0, 15, 15), (5, 0, 4, 16)],
)
def test_a_box_that_is_none_is_one_clear_line(box):
    with pytest.raises(ValidationError, match="is no square box of left, top, right, bottom in pixels, at least 16"):
        settings("faces.zip", crop=box)


def test_a_box_outside_every_image_is_one_clear_line(files, tmp_path):
    with pytest.raises(UserError, match=r"24 of 24 images rejected.*40×30 does not hold the box \[100, 0, 130, 30\]"):
        prepare(archive_zip(tmp_path / "faces.zip", files), tmp_path / "out", crop=(100, 0, 130, 30))


def test_shares_that_leave_nothing_to_train_on_are_one_clear_line():
    with pytest.raises(ValidationError, match="validation and test leave nothing to train on"):
        settings("faces.zip", split={"kind": "hash", "validation": 0.5, "test": 0.5})


def test_portraits_are_prepared_twice_to_the_same_bytes(tmp_path):
    for name in "ab":
        prepare_portraits(PORTRAITS, tmp_path / name)
    for file in ("images.npy", "index.csv", "manifest.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert [len(dataset.load(tmp_path / "a").split(name)) for name in ("train", "validation", "test")] == [20, 5, 6]


def test_portraits_are_the_same_bytes_from_one_process_and_from_several(tmp_path, monkeypatch, two_cores):
    monkeypatch.setattr("fvae.data.prepare.CHUNK", 4)
    drawn_in = []
    draw = portraits.draw

    def noted(indices, size, seed):
        drawn_in.append(os.getpid())
        return draw(indices, size, seed)

    monkeypatch.setattr(portraits, "draw", noted)
    prepare_portraits(PORTRAITS, tmp_path / "several")
    assert drawn_in == []  # all of them were drawn in other processes
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    prepare_portraits(PORTRAITS, tmp_path / "one")
    assert len(drawn_in) == 8
    for file in ("images.npy", "index.csv", "manifest.json"):
        assert (tmp_path / "several" / file).read_bytes() == (tmp_path / "one" / file).read_bytes()


def test_drawing_a_set_needs_no_pytorch(tmp_path):
    program = f"""
import sys
from pathlib import Path, PosixPath
from fvae.commands import prepare
from fvae.params import Portraits
prepare.prepare_portraits(Portraits(**{PORTRAITS.model_dump()}), {tmp_path / "out"!r})
sys.exit("torch" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)
    assert (tmp_path / "out/manifest.json").exists()


def test_a_set_that_is_not_there_or_not_whole_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="missing; make it first: python -m fvae prepare --experiment a"):
        dataset.load(tmp_path / "a")
    prepare_portraits(PORTRAITS, tmp_path / "a")
    index = tmp_path / "a" / "index.csv"
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UserError, match="do not agree"):
        dataset.load(tmp_path / "a")


def test_the_lfw_archive_as_it_is_distributed(tmp_path):
    source = SHARED / "lfw-deepfunneled.tgz"
    if not source.exists():
        pytest.skip("the LFW archive is not here")
    prepare(source, tmp_path / "out", size=64, limit=60, split=FOLDERS)
    index = pd.read_csv(tmp_path / "out/index.csv")
    assert index.groupby(index["name"].str.split("/").str[1])["split"].nunique().max() == 1
    assert dataset.load(tmp_path / "out").images.shape == (60, 3, 64, 64)
    assert index["name"].str.match(r"lfw-deepfunneled/\w.*/.*_\d{4}\.jpg").all()
