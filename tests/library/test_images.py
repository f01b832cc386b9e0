"""Images as people have them, to the arrays of the models and back."""

import numpy as np
import pytest
from PIL import Image

from fvae.data import images as prepared
from fvae.errors import UserError
from fvae.library.images import as_array, to_pil

SIZE = 16
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 3, SIZE, SIZE), dtype=np.uint8)
WIDE = Image.fromarray(RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8))


def test_arrays_stay_as_they_are():
    assert np.array_equal(as_array(IMAGES, SIZE, 8), IMAGES)
    assert np.array_equal(as_array(IMAGES[0], SIZE, 8), IMAGES[:1])
    assert np.array_equal(as_array([IMAGES[1], to_pil(IMAGES[2])[0]], SIZE, 8), IMAGES[1:])


def test_images_of_five_bits_have_32_levels():
    found = as_array(IMAGES, SIZE, 5)
    assert np.array_equal(found, IMAGES // 8 * 8)


def test_pil_images_are_prepared_as_for_training(tmp_path):
    WIDE.save(tmp_path / "wide.png")
    expected = prepared.decode((tmp_path / "wide.png").read_bytes(), size=SIZE, crop="center", filter="lanczos")
    assert np.array_equal(as_array(WIDE, SIZE, 8), expected[None])
    middle = WIDE.crop((10, 0, 50, 40))
    assert np.array_equal(as_array(middle, SIZE, 8), expected[None])


def test_pil_images_of_other_modes_and_orientations(tmp_path):
    grey = as_array(WIDE.convert("L"), SIZE, 8)
    assert np.array_equal(grey[0, 0], grey[0, 2])
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by half
    WIDE.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as turned:
        found = as_array(turned, SIZE, 8)
    assert np.array_equal(found, as_array(WIDE.rotate(180), SIZE, 8))


def test_to_pil_and_back():
    pictures = to_pil(IMAGES)
    assert [picture.size for picture in pictures] == [(SIZE, SIZE)] * 3
    assert pictures[0].getpixel((5, 2)) == tuple(IMAGES[0, :, 2, 5])
    assert np.array_equal(as_array(pictures, SIZE, 8), IMAGES)
    with pytest.raises(UserError, match=r"uint8 \(n, 3, H, W\) is needed, not float64 \(3, 16, 16\)"):
        to_pil(IMAGES[0] / 255)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES / 255, r"images: uint8 .*16, 16\) is needed, not float64 \(3, 3, 16, 16\)"),
        (IMAGES.transpose(0, 2, 3, 1), r"not uint8 \(3, 16, 16, 3\)"),
        (IMAGES[:, :, :8, :8], r"not uint8 \(3, 3, 8, 8\)"),
        (IMAGES[:0], r"not uint8 \(0, 3, 16, 16\)"),
        (IMAGES[0, 0], r"not uint8 \(1, 16, 16\)"),
        ([], "a list is no array, no PIL image and no list of these"),
        ("face.png", "a str is no array"),
        (["face.png"], "a str is neither an array nor a PIL image"),
        (WIDE.resize((20, 12)), "a PIL image of 20×12: the crop of 12 pixels is smaller than 16"),
    ],
)
def test_other_images_are_one_clear_line(images, message):
    with pytest.raises(UserError, match=message) as error:
        as_array(images, SIZE, 8)
    assert "\n" not in str(error.value)
