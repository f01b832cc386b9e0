"""What only a GPU can show: training on the device, in bf16, and the same numbers as on the CPU."""

import json

import numpy as np
import pytest
import torch

from fvae import params
from fvae.evaluation.likelihood import image_bits
from fvae.models.build import build
from fvae.seeding import seed_everything
from fvae.training.checkpoint import load_weights
from fvae.training.loop import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
SPEC = params.FVAE(
    kind="fvae",
    learning_rate=1e-3,
    start="data",
    encoder={"levels": 2, "steps": 2, "expansion": 1.0, "latent": "full"},
    flow={"levels": 2, "steps": 2, "width": 32, "coupling": "affine", "mixing": "conv1x1", "actnorm": True},
)
IMAGES = np.random.default_rng(0).integers(0, 256, (64, 3, 16, 16), dtype=np.uint8)


def validate(model):
    return {"bpd": float(image_bits(model, IMAGES, importance_samples=1, seed=0, quiet=True).elbo.mean())}, IMAGES


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_training_and_bits_per_dim_on_the_device(tmp_path, precision, compile):
    settings = params.Training(
        epochs=3,
        batch=16,
        warmup=2,
        cooldown=1,
        clip=10.0,
        ema=0.9,
        flip=True,
        precision=precision,
        channels_last=True,
        compile=compile,
        reversible=False,
        devices=1,
        validate_every=1,
        validation_images=16,
    )
    seed_everything(0, "weights")
    train(
        build(SPEC, 16),
        IMAGES,
        tmp_path,
        settings=settings,
        learning_rate=1e-3,
        start="data",
        seed=0,
        fingerprint="f",
        validate=validate,
    )
    cost = json.loads((tmp_path / "training.json").read_text())
    assert cost["device"] == torch.cuda.get_device_name()
    model = build(SPEC, 16)
    load_weights(tmp_path / "weights.safetensors", model)
    model.eval()
    x = torch.rand(8, 3, 16, 16) * 2 - 1
    u = model.noise(8, torch.Generator().manual_seed(0))
    with torch.no_grad():
        here, there = model(x, u), model.cuda()(x.cuda(), u.cuda()).cpu()
    torch.testing.assert_close(here, there, rtol=1e-3, atol=0.5)
