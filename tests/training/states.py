"""Runs and their states compared bit for bit; what depends on the clock is left out."""

import pandas as pd
import torch

from fvae.training.states import DIGEST


def read(path):
    """A state's values by the path of their names, without seconds."""
    with path.open("rb") as file:
        file.seek(DIGEST)
        return flat(torch.load(file, weights_only=True))


def flat(value, *names):
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {path: leaf for name, part in items for path, leaf in flat(part, *names, name).items()}
    return {} if names[-1] == "seconds" else {names: value}


def assert_same(whole, parts):
    """Weights, history and, where they were left, the last states are the same bits."""
    assert (whole / "weights.safetensors").read_bytes() == (parts / "weights.safetensors").read_bytes()
    histories = [pd.read_csv(folder / "history.csv").drop(columns="seconds") for folder in (whole, parts)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    for name in ("state.pt", "state.validated.pt"):
        states = [read(folder / name) for folder in (whole, parts)]
        assert states[0].keys() == states[1].keys()
        for path, value in states[0].items():
            other = states[1][path]
            same = torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
            assert same, path
