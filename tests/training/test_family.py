"""Every model of the experiment `family` trains, samples and is evaluated, at a tiny size."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from fvae import params
from fvae.evaluation.metrics.bpd import bits_per_dim
from fvae.evaluation.sampling import generate
from fvae.evaluation.validation import validator
from fvae.models.build import build
from fvae.models.match import resolve_one
from fvae.objective import objective
from fvae.seeding import seed_everything
from fvae.training.checkpoint import load_weights
from fvae.training.loop import train

FAMILY = params.load().experiments["family"]


def tiny():
    """The family at 16×16: narrow and shallow, two passes over its images."""
    values = FAMILY.model_dump()
    for spec in values["models"].values():
        for section in ("encoder", "flow"):
            if "steps" in spec.get(section, {}):
                spec[section]["steps"] = 1
        if "levels" in spec.get("flow", {}):
            spec["flow"]["levels"] = min(2, spec["flow"]["levels"])
    values["data"] |= {"size": 16}
    values["match"]["tolerance"] = 0.4
    values["training"] |= {"images": 320, "warmup_steps": 2, "cooldown_images": 160, "validate_every_images": 160}
    values["sampling"]["random"] |= {"images": 4, "draws": 2}
    values["sampling"]["interpolation"] |= {"pairs": 1, "steps": 3}
    values["sampling"]["reconstructions"] = {"images": 3}
    values["evaluation"]["bpd"] = {"images": 16, "importance_samples": 3}
    return params.Experiment(**values)


def faces(n):
    """Smooth colours in place of portraits."""
    colours = torch.rand(n, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(colours, 16, mode="bicubic").clamp(0, 0.999)
    return (256 * smooth).to(torch.uint8).numpy()


EXPERIMENT, IMAGES = tiny(), faces(160)


@pytest.mark.parametrize("name", FAMILY.models)
def test_a_model_of_the_family(name, tmp_path):
    spec = resolve_one(EXPERIMENT, name)
    seed_everything(0, "weights")
    model = build(spec, 16)
    held_out = IMAGES[128:]
    train(
        model,
        IMAGES[:128],
        tmp_path,
        settings=EXPERIMENT.training,
        learning_rate=spec.learning_rate,
        init=spec.init,
        seed=0,
        fingerprint="f",
        validate=validator(held_out[:16], patches=4, seed=0, portraits=True),
    )
    history = pd.read_csv(tmp_path / "history.csv")
    assert history["train_bpd"].iloc[1] < history["train_bpd"].iloc[0]

    trained = build(spec, 16).eval()
    load_weights(tmp_path / "weights.safetensors", trained)
    for task, shape in (("random", (2, 4)), ("reconstructions", (2, 3)), ("interpolation", (1, 5))):
        images = generate(trained, task, EXPERIMENT.sampling, held_out, seed=0)
        assert images.shape == (*shape, 3, 16, 16)
        assert images.std() > 1
    bits = bits_per_dim(trained, held_out, EXPERIMENT.evaluation.bpd, seed=0)
    assert json.loads(json.dumps(bits)) == bits
    assert 1 < bits["bpd"] < 12
    assert 0 < bits["standard_error"] < 1
    exact = name in ("nice", "realnvp", "glow")
    assert bits["bound"] is not exact
    if not exact:
        assert bits["elbo"] > bits["bpd"]
        assert bits["elbo_standard_error"] > 0

    with torch.no_grad():  # trained weights, single precision: x → z → x
        x = torch.from_numpy(held_out / np.float32(128) - 1)
        u = trained.noise(len(x), torch.Generator().manual_seed(0))
        z, _, v = trained.posterior(x, u)
        torch.testing.assert_close(trained.invert(z), v, rtol=0, atol=1e-4)
        assert objective(trained, x, u).isfinite().all()


def test_the_family_has_every_choice_of_the_paper():
    kinds = {name: spec.kind for name, spec in FAMILY.models.items()}
    assert kinds == {
        "vae_dense": "vae",
        "vae": "vae",
        "vae_reduced": "vae",
        "nice": "flow",
        "realnvp": "flow",
        "glow": "flow",
        "mixture": "mixture",
        "fvae": "fvae",
        "fvae_conv": "fvae",
        "fvae_reduced": "fvae",
        "fvae_autoregressive": "fvae",
        "vae_planar": "planar",
        "vae_iaf": "iaf",
    }
