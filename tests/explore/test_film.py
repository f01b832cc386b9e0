"""The live log as a film."""

import os

import numpy as np
import pytest

from fvae import layout
from fvae.errors import UserError
from fvae.explore.film import film, frame, has_film
from fvae.training.live import Live

RUN = layout.Run("demo", "glow", 0)


def test_each_sheet_has_its_images_and_what_was_measured_then():
    found = film(RUN, batch_size=32)
    assert [sheet["step"] for sheet in found] == [250, 500, 750]
    assert [sheet["images"] for sheet in found] == [8000, 16000, 24000]
    assert [sheet["bpd"] for sheet in found] == [7, 6, 5]
    assert [sheet["seconds"] for sheet in found] == [1, 2, 3]


def test_a_frame_shows_the_first_images_of_its_sheet(built):
    images = np.load(built / "data/demo/images.npy")
    shown = frame(RUN, 500, 32)
    assert shown.shape == (5 * 34 - 2, 5 * 34 - 2, 4)
    np.testing.assert_array_equal(shown[:32, :32, :3], images[1].transpose(1, 2, 0))
    np.testing.assert_array_equal(shown[34:66, 34:66, :3], images[7].transpose(1, 2, 0))


def test_a_log_that_grows_is_read_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    live = Live(RUN.folder, 0)
    assert has_film(RUN.folder)
    for step in (10, 20):
        live.sheet(np.zeros((36, 3, 8, 8), np.uint8), step)
        assert [sheet["step"] for sheet in film(RUN, 32)][-1] == step
    live.close()


@pytest.mark.parametrize("run", [layout.Run("demo", "vae", 0), layout.Run("demo", "glow", 1)])
def test_a_run_without_a_log_is_said(run):
    assert not has_film(run.folder)
    with pytest.raises(UserError, match=f"{run.folder}{os.sep}live: there is no live log"):
        film(run, 32)


def test_a_step_without_a_sheet_is_said():
    with pytest.raises(UserError, match="no sheet of step 3"):
        frame(RUN, 3, 32)
