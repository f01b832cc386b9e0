"""One step of training: what is there for speed or memory does not change what it computes."""

import shutil

import pytest
import torch
from family import SPECS

from fvae import params
from fvae.models.build import build
from fvae.training.step import Step

SETTINGS = params.load().experiments["demo"].training.model_copy(update={"batch": 16, "ema": 0.5})
FAITHFUL = {  # bits/dim that a loss may change by
    "channels_last": ({"channels_last": False}, 1e-4),
    "reversible": ({"reversible": True}, 1e-4),
    "compile": ({"compile": True}, 1e-4),
    "bf16-mixed": ({"precision": "bf16-mixed"}, 1e-2),
}


def losses(name, settings, steps):
    """Bits/dim of some steps on one batch."""
    torch.manual_seed(0)
    model = build(SPECS[name], 8)
    step = Step(model, settings)
    x, u = torch.rand(16, 3, 8, 8, device=step.device) * 2 - 1, torch.randn(16, *model.noise_shape, device=step.device)
    step.initialise(x, u)
    return [step.mean(step(x, u, 1e-3)) for _ in range(steps)]


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("choice", ["channels_last", "reversible", "bf16-mixed"])
def test_a_choice_for_speed_does_not_change_the_losses(name, choice):
    change, tolerance = FAITHFUL[choice]
    plain = losses(name, SETTINGS, steps=5)
    assert plain[-1] < plain[0]
    assert losses(name, SETTINGS.model_copy(update=change), steps=5) == pytest.approx(plain, abs=tolerance)


@pytest.mark.skipif(not shutil.which("c++"), reason="torch.compile needs a C++ compiler, and there is none here")
def test_compiling_does_not_change_the_losses():
    change, tolerance = FAITHFUL["compile"]
    plain = losses("fvae", SETTINGS, steps=3)
    assert losses("fvae", SETTINGS.model_copy(update=change), steps=3) == pytest.approx(plain, abs=tolerance)
