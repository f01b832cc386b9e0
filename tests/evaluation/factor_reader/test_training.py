"""The training at a tiny size: the same bits again, better than a guess, and a card that says so."""

import json

import numpy as np
import pytest

from fvae.commands import factor_reader
from fvae.data.portraits import draw
from fvae.evaluation.factor_reader import training
from fvae.evaluation.factor_reader.factors import KINDS, NUMBERS


def train(folder, **sizes):
    """A small training."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sizes.items():
            patch.setattr(training, name, value)
        factor_reader.run(folder)


def test_a_training_gives_the_same_bits_again(tmp_path):
    """Four steps of it, in two passes: as many as it takes to see every random number."""
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        train(tmp_path / name, PORTRAITS=128, HELD_OUT=40, OTHERS=10, EPOCHS=2, BATCH=64)
        made.append((tmp_path / name / "weights.safetensors").read_bytes())
    assert made[0] == made[1]


def test_the_card_has_every_factor_and_the_network_learns(tmp_path):
    train(tmp_path, PORTRAITS=1024, HELD_OUT=200, OTHERS=40, EPOCHS=6, BATCH=64)
    made = json.loads((tmp_path / "card.json").read_text())
    assert list(made["held_out"]) == ["32×32, 8 bits", "32×32, 5 bits", "64×64, 8 bits"]
    found = made["held_out"]["32×32, 8 bits"]
    assert list(found["kinds"]) == list(KINDS)
    assert list(found["numbers"]) == list(NUMBERS)
    assert found["numbers"]["skin"] > 0.5
    assert found["kinds"]["hair"]["read_rightly"] > 2 * found["kinds"]["hair"]["most_frequent"]
    page = (tmp_path / "card.md").read_text()
    assert "portraits 0 to 1,023 of seed 4,294,967,296" in page
    assert f"| skin | {found['numbers']['skin']:.2f} |" in page
    assert made["weights_sha256"] in page


def test_held_out_portraits_are_others():
    drawn = training.drawn(np.array([0, 5]))
    np.testing.assert_array_equal(drawn, draw([0, 5], 32, training.SEED))
    assert training.SEED >= 2**32
