"""The training at a tiny size: the same bits again, better than a guess, and a card that says so."""

import json

import numpy as np
import pytest

from fvae.commands import factor_reader
from fvae.data.portraits import draw
from fvae.evaluation.factor_reader import training
from fvae.evaluation.factor_reader.factors import KINDS, NUMBERS


@pytest.fixture(scope="module")
def trained_twice(tmp_path_factory):
    """Two folders of the same small training."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"PORTRAITS": 1024, "HELD_OUT": 200, "OTHERS": 40, "EPOCHS": 6, "BATCH": 64}.items():
            patch.setattr(training, name, value)
        for folder in folders:
            factor_reader.run(folder)
    return folders


def test_a_training_gives_the_same_bits_again(trained_twice):
    first, second = (folder / "weights.safetensors" for folder in trained_twice)
    assert first.read_bytes() == second.read_bytes()


def test_the_card_has_every_factor_and_the_network_learns(trained_twice):
    made = json.loads((trained_twice[0] / "card.json").read_text())
    assert list(made["held_out"]) == ["32×32, 8 bits", "32×32, 5 bits", "64×64, 8 bits"]
    found = made["held_out"]["32×32, 8 bits"]
    assert list(found["kinds"]) == list(KINDS)
    assert list(found["numbers"]) == list(NUMBERS)
    assert found["numbers"]["skin"] > 0.5
    assert found["kinds"]["hair"]["read_rightly"] > 2 * found["kinds"]["hair"]["most_frequent"]
    page = (trained_twice[0] / "card.md").read_text()
    assert "portraits 0 to 1,023 of seed 4,294,967,296" in page
    assert f"| skin | {found['numbers']['skin']:.2f} |" in page
    assert made["weights_sha256"] in page


def test_held_out_portraits_are_others():
    drawn = training.drawn(np.array([0, 5]))
    np.testing.assert_array_equal(drawn, draw([0, 5], 32, training.SEED))
    assert training.SEED >= 2**32
