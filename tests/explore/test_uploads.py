"""One's own images: what is kept, and the one line for what is not."""

import io

import numpy as np
import pytest
from PIL import Image

from fvae.data import images
from fvae.errors import UserError
from fvae.explore import uploads
from fvae.explore.uploads import Uploads


def file(mode="RGB", size=(60, 40), format="PNG", **options):
    content = io.BytesIO()
    Image.new(mode, size, **options).save(content, format)
    return content.getvalue()


def animation():
    content = io.BytesIO()
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:])
    return content.getvalue()


@pytest.fixture
def kept():
    return Uploads(32, 8, "lanczos")


def test_the_middle_of_an_image_is_kept_as_for_training(kept):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    reference, note = kept.add(content.getvalue())
    assert (reference, note) == ("own-0", None)
    expected = images.resize(pixels[:, 10:50], 32, "lanczos")
    np.testing.assert_array_equal(kept[reference], expected)


def test_levels_are_those_of_the_models():
    kept = Uploads(32, 5, "lanczos")
    reference, _ = kept.add(file(color=(255, 100, 7)))
    assert set(kept[reference].ravel()) == {248, 96, 0}


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (file("CMYK", format="JPEG"), "CMYK, converted to RGB"),
        (file("RGBA"), "transparent parts became white"),
        (file("L"), None),
    ],
)
def test_what_was_changed_is_said(kept, content, note):
    reference, said = kept.add(content)
    assert said == note
    assert kept[reference].shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "not an image"),
        (b"%PDF-1.7 not a picture", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (animation(), "animated or of several pages, 2 frames"),
        (file(size=(20, 300)), "too small: 20 pixels"),
        (file()[:-60], "damaged"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC"),
    ],
)
def test_a_bad_file_is_one_line(kept, content, line):
    with pytest.raises(UserError, match=line) as refused:
        kept.add(content)
    assert "\n" not in str(refused.value)


def test_an_image_of_too_many_pixels_is_not_decoded(kept, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 2_000_000)
    with pytest.raises(UserError, match="absurdly large, 2000×2000 pixels: at most 2 million"):
        kept.add(file(size=(2000, 2000)))


def test_a_file_of_too_many_bytes_is_refused(kept, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_BYTES", 2**20)
    with pytest.raises(UserError, match="larger than 1 MB"):
        kept.add(bytes(2**20 + 1))


def test_old_images_are_forgotten(kept, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_KEPT", 2)
    references = [kept.add(file())[0] for _ in range(3)]
    with pytest.raises(UserError, match="no longer kept"):
        kept[references[0]]
    assert kept[references[2]].shape == (3, 32, 32)
