"""The live log: what TensorBoard reads of a run, and of one that was interrupted."""

import io
import time

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fvae.training.live import FOLDER, Live

RNG = np.random.default_rng(0)


def read(folder):
    events = EventAccumulator(str(folder / FOLDER))
    events.Reload()
    return events


def test_numbers_and_sheets_are_what_was_logged(tmp_path):
    images = RNG.integers(0, 256, (40, 3, 8, 8), dtype=np.uint8)
    live = Live(tmp_path, 0)
    live.numbers("train", {"bpd": 5.5, "learning_rate": 1e-3}, 20)
    live.sheet(images, 20)
    live.close()
    events = read(tmp_path)
    (point,) = events.Scalars("train/bpd")
    assert (point.step, point.value) == (20, 5.5)
    (sheet,) = events.Images("samples")
    picture = np.asarray(Image.open(io.BytesIO(sheet.encoded_image_string)))
    assert picture.shape == (6 * 10 + 2, 6 * 10 + 2, 3)
    np.testing.assert_array_equal(picture[2:10, 12:20], images[1].transpose(1, 2, 0))


def test_what_an_interrupted_run_logged_beyond_its_state_is_hidden(tmp_path):
    first = Live(tmp_path, 0)
    for step in (10, 20, 30):
        first.numbers("train", {"bpd": 5.0}, step)
    first.close()
    time.sleep(1.1)  # TensorBoard orders files by the second of their beginning
    again = Live(tmp_path, 10)
    again.numbers("train", {"bpd": 4.0}, 20)
    again.close()
    assert [(point.step, point.value) for point in read(tmp_path).Scalars("train/bpd")] == [(10, 5.0), (20, 4.0)]


def test_a_new_run_begins_a_new_log(tmp_path):
    for value in (5.0, 4.0):
        live = Live(tmp_path, 0)
        live.numbers("train", {"bpd": value}, 10)
        live.close()
    assert [point.value for point in read(tmp_path).Scalars("train/bpd")] == [4.0]
