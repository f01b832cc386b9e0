"""The copies of figures that Git holds: small, with their provenance, and without photographs."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fvae.errors import UserError
from fvae.paper import FIGURES, OF_PORTRAITS
from fvae.params import load
from fvae.provenance import read
from workflow import record


def test_photographs_are_left_out():
    experiments = load().experiments
    assert record.recorded(experiments["demo"]) == [*FIGURES]
    faces = {*FIGURES} - {*OF_PORTRAITS} - {*record.OF_PHOTOGRAPHS}
    assert {*record.recorded(experiments["faces64"])} == faces
    assert {*record.recorded(experiments["celeba64"])} == faces - {"comparison"}  # it shows real images there


def test_a_copy_is_smaller_and_has_nearly_the_same_colours_and_the_same_provenance(tmp_path):
    source, target = tmp_path / "figure.png", tmp_path / "reference" / "figure.png"
    information = PngInfo()
    information.add_itxt("Keywords", '{"experiment": "study"}')
    Image.effect_noise((90, 60), 50).convert("RGB").resize((300, 200)).save(source, pnginfo=information)
    record.copy_small(source, target)
    before, after = (np.asarray(Image.open(path)).astype(int) for path in (source, target))
    assert before.shape == after.shape == (200, 300, 3)
    assert 0 < np.abs(before - after).max() <= record.STEP / 2
    assert read(target) == {"experiment": "study"}
    assert target.stat().st_size < source.stat().st_size


def test_black_and_white_stay_as_they_are(tmp_path):
    Image.fromarray(np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)).save(tmp_path / "figure.png")
    record.copy_small(tmp_path / "figure.png", tmp_path / "copy.png")
    assert np.asarray(Image.open(tmp_path / "copy.png")).tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_a_figure_that_is_not_made_yet_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match=r"samples\.png: cannot be read; make it first: snakemake --cores 1 "):
        record.copy_small(tmp_path / "samples.png", tmp_path / "copy.png")
    assert not (tmp_path / "copy.png").exists()
