"""describe --data: what a path is taken for."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fvae.__main__ import app
from fvae.errors import UserError


def encoded(side):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def said(path, *arguments):
    done = CliRunner().invoke(app, ["describe", "--data", str(path), *arguments])
    if done.exception:
        raise done.exception
    return [line.strip() for line in done.stdout.splitlines()]


def test_a_named_form_with_what_is_wrong_in_it(tmp_path):
    path = tmp_path / "CelebAMask-HQ.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index in (0, 1, 26_999, 27_000):
            archive.writestr(f"CelebAMask-HQ/CelebA-HQ-img/{index}.jpg", encoded(1024))
        archive.writestr("CelebAMask-HQ/CelebA-HQ-img/5.jpg", encoded(512))
        archive.writestr("CelebAMask-HQ/CelebA-HQ-img/6.jpg", b"")
        archive.writestr("CelebAMask-HQ/CelebAMask-HQ-mask-anno/0/00000_hair.png", encoded(512))
    assert said(path) == [
        f"{path}: CelebAMask-HQ, 6 images",
        "and 1 others that are not of that form and would be left out (1 .png)",
        "1024×1024: 4",
        "published split: 1 test, 3 train",
        "would be rejected: 2",
        "CelebAMask-HQ/CelebA-HQ-img/5.jpg: 512×512, where every image of this set has 1024×1024",
        "CelebAMask-HQ/CelebA-HQ-img/6.jpg: empty file",
        "data.form: it is read as CelebAMask-HQ; if it is another set, say form: images, to read any images",
    ]


def test_with_an_experiment_what_it_would_reject(tmp_path):
    for side in (50, 60, 250):
        (tmp_path / f"{side}.jpg").write_bytes(encoded(side))
    assert said(tmp_path)[-1] == "would be rejected: 0"
    assert said(tmp_path, "--experiment", "lfw64")[-3:] == [
        "would be rejected: 2",
        "50.jpg: 50×50 does not hold the box [45, 45, 205, 205]",
        "60.jpg: 60×60 does not hold the box [45, 45, 205, 205]",
    ]


def test_what_is_no_source_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="missing does not exist; put the archive or the folder of images there"):
        said(tmp_path / "missing")
    with pytest.raises(UserError, match="--experiment or --data is missing"):
        raise CliRunner().invoke(app, ["describe"]).exception
