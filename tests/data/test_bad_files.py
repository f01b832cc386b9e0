"""What lies among people's images: each is seen as a person would see it, or stands in rejected.csv with its reason."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import stat
import struct
import sys
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from fvae.data import dataset
from fvae.data.inspection import inspect
from fvae.data.prepare import prepare_images
from fvae.data.sources import Source
from fvae.errors import UserError
from fvae.params import Images

QUADRANTS = [[(200, 40, 40), (40, 160, 60)], [(50, 60, 190), (220, 200, 60)]]
FACE = Image.fromarray(np.array(QUADRANTS, np.uint8).repeat(24, 0).repeat(24, 1))
GREY = FACE.convert("L")
UPRIGHT = {  # how a picture lies in the file for an EXIF orientation to set it upright
    2: [Image.Transpose.FLIP_LEFT_RIGHT],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def frames(format, **options):
    return encoded(FACE, format, save_all=True, append_images=[GREY.convert("RGB")], **options)


def chunk(kind, data, crc=None):
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)
    )


def png_of(width, height, idat=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(idat)) + chunk(b"IEND", b"")


def text_bomb():
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "a" * 100_000_000, zip=True)
    return encoded(FACE, pnginfo=info)


def oriented(orientation):
    image = FACE
    for how in UPRIGHT[orientation]:
        image = image.transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, "JPEG", quality=95, exif=exif.tobytes())


def swapped_profile():
    """An ICC profile whose red and blue primaries are exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


JPEG, PNG = encoded(FACE, "JPEG", quality=95), encoded(FACE)
SOF = JPEG.index(b"\xff\xc0")
RANDOM = np.random.default_rng(0).bytes(3000)

REJECTED = {  # file: content, what is said
    "empty.jpg": (b"", "empty file"),
    "one_byte.jpg": (b"\xff", "does not decode"),
    "zeros.jpg": (bytes(5000), "does not decode"),
    "random.jpg": (RANDOM, "does not decode"),
    "text.jpg": (b"not an image\n", "does not decode"),
    "error_page.jpg": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "does not decode"),
    "vector.png": (b'<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"></svg>', "does not decode"),
    "document.jpg": (b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n", "does not decode"),
    "program.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 48 48\nshowpage\n", "does not decode"),
    "icon.png": (encoded(FACE, "ICO"), "does not decode"),
    "archive.jpg": (b"PK\x03\x04" + RANDOM, "does not decode"),
    "film.jpg": (b"\x00\x00\x00\x20ftypisom" + RANDOM, "does not decode"),
    "pickle.jpg": (pickle.dumps([1, 2, 3]), "does not decode"),
    "phone.heic": (b"\x00\x00\x00\x18ftypheic" + RANDOM, "does not decode"),
    "jpeg_cut_at_1_percent.jpg": (JPEG[: len(JPEG) // 100], "does not decode"),
    "jpeg_cut_in_its_header.jpg": (JPEG[:200], "does not decode"),
    "jpeg_cut_in_half.jpg": (JPEG[: len(JPEG) // 2], "does not decode"),
    "jpeg_cut_at_90_percent.jpg": (JPEG[: len(JPEG) * 9 // 10], "does not decode"),
    "jpeg_without_start.jpg": (JPEG[2:], "does not decode"),
    "jpeg_of_12_bits.jpg": (JPEG[: SOF + 4] + b"\x0c" + JPEG[SOF + 5 :], "does not decode"),
    "jpeg_of_no_height.jpg": (JPEG[: SOF + 5] + b"\0\0" + JPEG[SOF + 7 :], "does not decode"),
    "png_cut_in_its_header.png": (PNG[:20], "does not decode"),
    "png_cut_in_half.png": (PNG[: len(PNG) // 2], "does not decode"),
    "png_signature_alone.png": (PNG[:8], "does not decode"),
    "png_header_sum.png": (PNG[:29] + bytes(4) + PNG[33:], "does not decode"),
    "png_flipped_bit.png": (PNG[:60] + bytes([PNG[60] ^ 8]) + PNG[61:], "does not decode"),
    "png_of_no_width.png": (png_of(0, 48), "does not decode"),
    "png_of_too_little_data.png": (png_of(48, 48, bytes(100)), "does not decode"),
    "png_text_bomb.png": (text_bomb(), "does not decode"),
    "png_bomb.png": (png_of(50_000, 50_000), "absurdly large"),
    "gif_bomb.gif": (b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(30), "does not decode"),
    "ppm_bomb.ppm": (b"P6 90000 90000 255\n", "absurdly large"),
    "bmp_cut.bmp": (encoded(FACE, "BMP")[:500], "does not decode"),
    "gif_cut.gif": (encoded(FACE, "GIF")[:60], "does not decode"),
    "tiff_cut.tif": (encoded(FACE, "TIFF")[:500], "does not decode"),
    "webp_cut.webp": (encoded(FACE, "WEBP", lossless=True)[:60], "does not decode"),
    "ppm_cut.ppm": (encoded(FACE, "PPM")[:500], "does not decode"),
    "animated.gif": (frames("GIF"), "animated or of several pages, 2 frames"),
    "animated.webp": (frames("WEBP"), "animated or of several pages, 2 frames"),
    "animated.png": (frames("PNG"), "animated or of several pages, 2 frames"),
    "pages.tif": (frames("TIFF"), "animated or of several pages, 2 frames"),
    "floating.tif": (encoded(GREY.convert("F"), "TIFF"), "of floating-point pixels"),
    "tiny.png": (encoded(FACE.resize((8, 8))), "the crop of 8 pixels is smaller than 16"),
    "one_pixel.png": (encoded(FACE.resize((1, 1))), "the crop of 1 pixels is smaller than 16"),
    "strip.png": (encoded(FACE.resize((1000, 5))), "the crop of 5 pixels is smaller than 16"),
}

wide = np.asarray(FACE).astype(np.uint16) * 257
USED = {  # file: content, what is to be seen
    "png_called.jpg": (PNG, FACE),
    "jpeg_called.png": (JPEG, FACE),
    "webp_called.jpg": (encoded(FACE, "WEBP", lossless=True), FACE),
    "shouted.JPG": (encoded(FACE, "JPEG", quality=96), FACE),
    "progressive.jpeg": (encoded(FACE, "JPEG", quality=95, progressive=True), FACE),
    "subsampled.jpg": (encoded(FACE, "JPEG", quality=95, subsampling=1), FACE),
    "with_garbage_after.jpg": (JPEG + RANDOM, FACE),
    "cmyk.jpg": (encoded(FACE.convert("CMYK"), "JPEG", quality=95), FACE),
    "cmyk.tif": (encoded(FACE.convert("CMYK"), "TIFF"), FACE),
    "lzw.tif": (encoded(FACE, "TIFF", compression="tiff_lzw"), FACE),
    "static.gif": (encoded(FACE, "GIF"), FACE),
    "32_bits.bmp": (encoded(FACE.convert("RGBA"), "BMP"), FACE),
    "plain.ppm": (encoded(FACE, "PPM"), FACE),
    "grey.jpg": (encoded(GREY, "JPEG", quality=95), GREY),
    "grey.png": (encoded(GREY), GREY),
    "grey_16_bits.png": (encoded(Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)), GREY),
    "grey_16_bits.tif": (encoded(Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257), "TIFF"), GREY),
    "palette.png": (encoded(FACE.convert("P", palette=Image.Palette.ADAPTIVE)), FACE),
    "one_bit.png": (encoded(GREY.point(lambda v: 255 * (v > 128)).convert("1")), GREY.point(lambda v: 255 * (v > 128))),
    "opaque.png": (encoded(FACE.convert("RGBA")), FACE),
    "grey_with_alpha.png": (encoded(GREY.convert("LA")), GREY),
    "transparent.png": (encoded(Image.new("RGBA", (48, 48))), Image.new("RGB", (48, 48), "white")),
    "transparent.webp": (encoded(Image.new("RGBA", (50, 48)), "WEBP"), Image.new("RGB", (48, 48), "white")),
    "transparent_colour.png": (
        encoded(Image.new("RGB", (48, 48)), transparency=(0, 0, 0)),
        Image.new("L", (48, 48), 255),
    ),
    "broken_exif.jpg": (encoded(FACE, "JPEG", quality=94, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), FACE),
    "broken_profile.jpg": (encoded(FACE, "JPEG", quality=93, icc_profile=b"not a profile"), FACE),
    "srgb.jpg": (
        encoded(
            FACE, "JPEG", quality=92, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        ),
        FACE,
    ),
    "swapped_profile.png": (encoded(Image.merge("RGB", FACE.split()[::-1]), icc_profile=swapped_profile()), FACE),
    "of_two_sizes.jpg": (encoded(FACE, "MPO", save_all=True, append_images=[FACE.resize((24, 24))], quality=95), FACE),
    **{f"orientation_{how}.jpg": (oriented(how), FACE) for how in UPRIGHT},
}
GOOD = {f"good_{i}.png": encoded(FACE.rotate(7 * i, fillcolor=(i, 0, 0))) for i in range(1, 25)}


def settings(path, **changes):
    how = {"kind": "images", "path": str(path), "size": 16, "bits": 8, "crop": "center", "filter": "area"}
    split = {"kind": "hash", "validation": 0.3, "test": 0.3}
    return Images(**how | {"split": split, "limit": None, "max_rejected": 0.99} | changes)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """All of them in one zip, among good ones."""
    folder = tmp_path_factory.mktemp("bad")
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        for name, data in GOOD.items():
            archive.writestr(f"faces/{name}", data)
        for name, (data, _) in (REJECTED | USED).items():
            archive.writestr(f"faces/{name}", data)
        archive.writestr("faces/copy_of_good_3.png", GOOD["good_3.png"])
    prepare_images(settings(folder / "faces.zip"), folder / "out")
    index, rejected = (pd.read_csv(folder / "out" / f"{name}.csv", index_col="name") for name in ("index", "rejected"))
    return dataset.load(folder / "out"), index, rejected["reason"]


def test_there_are_many():
    assert len(REJECTED) + len(USED) >= 60


@pytest.mark.parametrize("name", REJECTED)
def test_what_cannot_be_used_says_why(prepared, name):
    _, index, rejected = prepared
    assert REJECTED[name][1] in rejected[f"faces/{name}"]
    assert f"faces/{name}" not in index.index


@pytest.mark.parametrize("name", USED)
def test_what_can_be_used_is_seen_as_a_person_sees_it(prepared, name):
    images, index, _ = prepared
    seen = images.images[index.loc[f"faces/{name}", "row"]].transpose(1, 2, 0).astype(int)
    meant = np.asarray(USED[name][1].convert("RGB").resize((16, 16), Image.Resampling.BOX)).astype(int)
    inner = np.r_[1:7, 9:15]  # away from the edges between the colours, where a JPEG rings
    assert np.abs(seen - meant)[inner][:, inner].max() <= 14


def test_nothing_is_lost(prepared):
    images, _, rejected = prepared
    assert len(images.images) == len(GOOD) + len(USED)
    assert rejected["faces/good_3.png"] == "duplicate of faces/copy_of_good_3.png"
    assert len(rejected) == len(REJECTED) + 1


def archived(tmp_path, kind):
    """An archive with members that are not what they should be, and what is said of each."""
    path = tmp_path / f"faces.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in GOOD.items():
                archive.writestr(name, data)
            archive.writestr("../outside.png", PNG)
            archive.writestr("/etc/absolute.png", PNG)
            archive.writestr("a\\..\\..\\windows.png", PNG)
            link = zipfile.ZipInfo("link.png")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "/etc/passwd")
            archive.writestr("sum.png", PNG)
            archive.writestr("locked.png", PNG)
        data = bytearray(path.read_bytes())
        place = data.index(b"sum.png")
        data[place + 7 + 40] ^= 1  # in the content
        directory = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02"))
        entry = data.rindex(b"locked.png") - 46
        assert data[entry : entry + 4] == b"PK\x01\x02"
        assert directory <= entry
        data[entry + 8] |= 1  # the flag of encryption
        path.write_bytes(data)
        return path, {
            "../outside.png": "leads out of the archive",
            "/etc/absolute.png": "leads out of the archive",
            "a/../../windows.png": "leads out of the archive",
            "link.png": "a link",
            "sum.png": "cannot be read: Bad CRC-32",
            "locked.png": "encrypted",
        }
    with tarfile.open(path, "w" if kind == "tar" else "w:gz") as archive:
        for name, data in (GOOD | {"../outside.png": PNG, "/etc/absolute.png": PNG}).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, type in (
            ("soft.png", tarfile.SYMTYPE),
            ("hard.png", tarfile.LNKTYPE),
            ("pipe.png", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = type, "/etc/passwd"
            archive.addfile(member)
    return path, {
        "../outside.png": "leads out of the archive",
        "/etc/absolute.png": "leads out of the archive",
        "soft.png": "a link",
        "hard.png": "a link",
        "pipe.png": "not a file",
    }


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_archives_do_not_lead_astray(tmp_path, kind):
    path, said = archived(tmp_path, kind)
    prepare_images(settings(path), tmp_path / "out")
    rejected = pd.read_csv(tmp_path / "out" / "rejected.csv", index_col="name")["reason"]
    assert set(rejected.index) == set(said)
    for name, reason in said.items():
        assert reason in rejected[name], name
    assert len(dataset.load(tmp_path / "out").images) == len(GOOD)
    assert {file.name for file in tmp_path.iterdir()} == {path.name, "out"}


def test_a_folder_s_dead_links_are_told_and_its_clutter_is_not(tmp_path):
    source = tmp_path / "faces"
    (source / ".hidden").mkdir(parents=True)
    (source / "folder.jpg").mkdir()
    for name, data in GOOD.items():
        (source / name).write_bytes(data)
    for clutter in (".DS_Store", "._good_1.png", ".hidden/x.png", "Thumbs.db", "readme.txt"):
        (source / clutter).write_bytes(PNG)
    (source / "dead.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "elsewhere.png").write_bytes(PNG)
    (source / "alive.png").symlink_to(tmp_path / "elsewhere.png")
    prepare_images(settings(source), tmp_path / "out")
    rejected = pd.read_csv(tmp_path / "out" / "rejected.csv")
    assert rejected.to_numpy().tolist() == [["dead.png", "a link to nothing"]]
    assert len(dataset.load(tmp_path / "out").images) == len(GOOD) + 1


def test_links_to_folders_are_followed_once(tmp_path):
    source = tmp_path / "faces"
    for folder, names in (("faces/a", list(GOOD)[:12]), ("elsewhere", list(GOOD)[12:])):
        (tmp_path / folder).mkdir(parents=True)
        for name in names:
            (tmp_path / folder / name).write_bytes(GOOD[name])
    (source / "b").symlink_to(tmp_path / "elsewhere")
    (source / "c").symlink_to(tmp_path / "elsewhere")
    (source / "a" / "back").symlink_to(source)
    prepare_images(settings(source), tmp_path / "out")
    assert sorted({name[:2] for name in pd.read_csv(tmp_path / "out/index.csv")["name"]}) == ["a/", "b/"]
    assert len(dataset.load(tmp_path / "out").images) == len(GOOD)
    assert (tmp_path / "out/rejected.csv").read_text() == "name,reason\n"


@contextmanager
def as_nobody():
    """Without the rights of root, who may read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("what", ["folder", "subfolder", "archive", "list"])
def test_what_must_not_be_read_is_one_clear_line(what):
    with tempfile.TemporaryDirectory() as temporary:  # tmp_path is closed to others
        root = Path(temporary)
        root.chmod(0o755)
        inner = root / "faces" / "inner"
        inner.mkdir(parents=True)
        (inner / "a.png").write_bytes(PNG)
        (root / "faces.tgz").write_bytes(b"")
        (root / "faces" / "list_eval_partition.txt").write_bytes(b"")
        closed = {
            "folder": root / "faces",
            "subfolder": inner,
            "archive": root / "faces.tgz",
            "list": root / "faces" / "list_eval_partition.txt",
        }[what]
        closed.chmod(0)
        named = root / ("faces.tgz" if what == "archive" else "faces")
        with as_nobody(), pytest.raises(UserError, match=f"{closed.name}.*: damaged or unreadable: Permission denied"):
            list(Source(named).pictures())
        closed.chmod(0o755)


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode elsewhere")
@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_names_that_are_no_text_are_made_legible(tmp_path, kind):
    names = {
        b"caf\xe9.png": "caf\\udce9.png",
        b"a\nb.png": "a\\nb.png",
        b"a\rb.png": "a\\rb.png",
        "é.png".encode(): "é.png",
    }
    source = tmp_path / "faces"
    source.mkdir()
    contents = dict(zip(names, list(GOOD.values())[10:], strict=False))
    for name, data in (contents | {name.encode(): data for name, data in list(GOOD.items())[:10]}).items():
        Path(os.fsdecode(os.path.join(os.fsencode(source), name))).write_bytes(data)
    if kind == "tar":
        with tarfile.open(tmp_path / "faces.tar", "w", format=tarfile.GNU_FORMAT) as archive:
            archive.add(source, "faces")
        source = tmp_path / "faces.tar"
    prepare_images(settings(source), tmp_path / "out")
    index = pd.read_csv(tmp_path / "out/index.csv")
    told = {name.removeprefix("faces/") for name in index["name"]} - set(GOOD)
    assert told == set(names.values())
    assert inspect(str(source), None).encode()


def test_other_suffixes_of_jpegs_are_images(tmp_path):
    for name in ("a.jfif", "b.JPE"):
        (tmp_path / name).write_bytes(JPEG)
    assert len(list(Source(tmp_path).pictures())) == 2


@pytest.fixture
def many(tmp_path):
    """A tar, its compressed forms and a zip of the good images."""
    with tarfile.open(tmp_path / "faces.tar", "w") as archive:
        for name, data in GOOD.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    plain = (tmp_path / "faces.tar").read_bytes()
    for suffix, compress in (("tgz", gzip.compress), ("tar.bz2", bz2.compress), ("tar.xz", lzma.compress)):
        (tmp_path / f"faces.{suffix}").write_bytes(compress(plain))
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        for name, data in GOOD.items():
            archive.writestr(name, data)
    return tmp_path


@pytest.mark.parametrize("suffix", ["tar", "tgz", "tar.bz2", "tar.xz", "zip"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_download_that_broke_off_says_so(many, suffix, share):
    path = many / f"faces.{suffix}"
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(UserError, match=r"faces\.[\w.]+: damaged or unreadable: .*(cut off|unexpected end)"):
        list(Source(path).pictures())


def test_a_tar_cut_between_two_files_says_so(many):
    path = many / "faces.tar"
    data = path.read_bytes()
    with tarfile.open(path) as archive:
        ends = [member.offset for member in archive.getmembers()][1:]
    for end in ends[::5]:
        path.write_bytes(data[:end])
        with pytest.raises(UserError, match="cut off or damaged: download it again"):
            list(Source(path).pictures())
        path.write_bytes(data[:end] + b"x" * 512 + data[end + 512 :])  # not a header
        with pytest.raises(UserError, match="cut off or damaged: download it again"):
            list(Source(path).pictures())


@pytest.mark.parametrize("place", [-8, -6, -1])
def test_a_tgz_that_does_not_have_its_sum_says_so(many, place):
    path = many / "faces.tgz"
    data = bytearray(path.read_bytes())
    data[place] ^= 1  # CRC-32 and length are its last eight bytes
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"faces\.tgz: damaged or unreadable: cut off or damaged: download it again"):
        list(Source(path).pictures())


def test_more_than_the_allowed_share_stops_the_run(tmp_path):
    path, said = archived(tmp_path, "tar")
    with pytest.raises(UserError, match=rf"{len(said)} of 29 images rejected \(17\.2%, allowed are 10\.0%"):
        prepare_images(settings(path, max_rejected=0.1), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_image_of_another_size_does_not_belong_to_the_named_set(tmp_path):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(24):
            image = FACE.resize((256, 256)).rotate(number)
            archive.writestr(f"celeba_hq_256/{number:05}.jpg", encoded(image, "JPEG"))
        archive.writestr("celeba_hq_256/00099.jpg", encoded(FACE.resize((128, 128)), "JPEG"))
    prepare_images(settings(path), tmp_path / "out")
    rejected = pd.read_csv(tmp_path / "out" / "rejected.csv")
    assert rejected["reason"].tolist() == ["128×128, where every image of this set has 256×256"]
