"""What is generated: shapes, real images at the ends, straight lines between."""

import numpy as np
import pytest

from fvae.errors import UserError
from fvae.evaluation.sampling import decode, encode, generate
from fvae.models.glow import Glow
from fvae.params import Sampling

SETTINGS = Sampling(
    random={"images": 10, "temperature": 1.0},
    sheets={"images": 4, "temperature": 0.0},
    temperatures={"images": 3, "temperatures": (0.0, 0.5, 1.0)},
    reconstructions={"images": 5},
    pairs={"pairs": 2, "steps": 3},
    quads={"sheets": 1, "steps": 3},
)
HELD_OUT = np.random.default_rng(0).integers(0, 256, (12, 3, 8, 8), dtype=np.uint8)
FLOW = {"levels": 1, "steps": 1, "width": 4, "coupling": "affine", "mixing": "shuffle", "actnorm": True}


@pytest.fixture(scope="module")
def glow():
    """At its start: a permutation, so that a straight line of latents is one of images."""
    return Glow((3, 8, 8), flow=FLOW)


@pytest.mark.parametrize(
    ("task", "shape"),
    [
        ("random", (10,)),
        ("sheets", (4,)),
        ("temperatures", (3, 3)),
        ("reconstructions", (2, 5)),
        ("pairs", (2, 5)),
        ("quads", (1, 3, 3)),
    ],
)
def test_shapes_and_determinism(glow, task, shape):
    images = generate(glow, task, SETTINGS, HELD_OUT, seed=0)
    assert images.shape == (*shape, 3, 8, 8)
    assert images.dtype == np.uint8
    assert (images == generate(glow, task, SETTINGS, HELD_OUT, seed=0)).all()


def test_a_flow_reconstructs_exactly(glow):
    real, reconstructed = generate(glow, "reconstructions", SETTINGS, HELD_OUT, seed=0)
    assert (real == reconstructed).all()
    assert all(any((image == other).all() for other in HELD_OUT) for image in real)


def test_pairs_are_straight_lines_between_two_real_images(glow):
    for row in generate(glow, "pairs", SETTINGS, HELD_OUT, seed=0).astype(int):
        assert (row[0] == row[1]).all()
        assert (row[-1] == row[-2]).all()
        assert np.abs(row[2] - (row[1] + row[3]) / 2).max() <= 1


def test_quads_are_bilinear_among_four_corners(glow):
    sheet = generate(glow, "quads", SETTINGS, HELD_OUT, seed=0)[0].astype(int)
    corners = sheet[[0, 0, 2, 2], [0, 2, 0, 2]]
    assert np.abs(sheet[1, 1] - corners.mean(0)).max() <= 1
    assert np.abs(sheet[0, 1] - corners[:2].mean(0)).max() <= 1


def test_a_place_in_the_temperature_sweep_is_one_noise(glow):
    cold, warm, hot = generate(glow, "temperatures", SETTINGS, HELD_OUT, seed=0).astype(int)
    assert (cold == cold[0]).all()
    inside = (hot > 0) & (hot < 255)
    assert np.abs(warm - 128 - (hot - 128) / 2)[inside].max() <= 1.5


def test_too_few_real_images_are_one_line(glow):
    with pytest.raises(UserError, match=r"sampling.reconstructions: 5 real images needed, 3 held out"):
        generate(glow, "reconstructions", SETTINGS, HELD_OUT[:3], seed=0)


def test_encode_and_decode_are_inverse(glow):
    assert (decode(glow, encode(glow, HELD_OUT)) == HELD_OUT).all()
