"""What is generated: shapes, real images at the ends, straight lines between."""

import numpy as np
import pytest
import torch

from fvae.errors import UserError
from fvae.evaluation.sampling import decode, encode, generate
from fvae.models.flow import FlowModel
from fvae.models.vae import VAE
from fvae.params import Sampling

SETTINGS = Sampling(
    batch_norm="stored",
    random={"images": 10, "draws": 2, "temperature": 1.0, "decoder_noise": False},
    sheets={"images": 4, "temperature": 0.0},
    temperatures={"images": 3, "temperatures": (0.0, 0.5, 1.0)},
    reconstructions={"images": 5},
    interpolation={"pairs": 2, "steps": 3, "encoder_noise": False},
    interpolation_four={"sheets": 1, "steps": 3, "encoder_noise": False},
    sources={"images": 3},
    grain={"images": 25},
)
HELD_OUT = np.random.default_rng(0).integers(0, 256, (12, 3, 8, 8), dtype=np.uint8)
FLOW = {"levels": 1, "steps": 1, "width": 4, "coupling": "affine", "mixing": "shuffle", "actnorm": True}


@pytest.fixture(scope="module")
def glow():
    """At its start: a permutation, so that a straight line of latents is one of images."""
    return FlowModel((3, 8, 8), flow=FLOW)


@pytest.mark.parametrize(
    ("task", "shape"),
    [
        ("random", (2, 10)),
        ("sheets", (4,)),
        ("temperatures", (3, 3)),
        ("reconstructions", (2, 5)),
        ("interpolation", (2, 5)),
        ("interpolation_four", (1, 3, 3)),
        ("grain", (2, 25)),
    ],
)
def test_shapes_and_determinism(glow, task, shape):
    images = generate(glow, task, SETTINGS, HELD_OUT, seed=0)
    assert images.shape == (*shape, 3, 8, 8)
    assert images.dtype == np.uint8
    assert (images == generate(glow, task, SETTINGS, HELD_OUT, seed=0)).all()


def test_draws_differ_and_batches_do_not_repeat(glow, monkeypatch):
    monkeypatch.setattr("fvae.evaluation.sampling.BATCH", 4)
    draws = generate(glow, "random", SETTINGS, HELD_OUT, seed=0)
    images = draws.reshape(20, -1)
    assert len(np.unique(images, axis=0)) == 20
    first = SETTINGS.model_copy(update={"random": SETTINGS.random.model_copy(update={"draws": 1})})
    assert (generate(glow, "random", first, HELD_OUT, seed=0)[0] == draws[0]).all()
    # T = 1 and a permutation of pixels: each sample has the standard deviation of its z
    inside = (images > 0) & (images < 255)
    assert images[inside].std() == pytest.approx(127.5 * 0.54, rel=0.05)  # of a normal cut at ±1


def test_a_flow_reconstructs_exactly(glow):
    real, reconstructed = generate(glow, "reconstructions", SETTINGS, HELD_OUT, seed=0)
    assert (real == reconstructed).all()
    assert all(any((image == other).all() for other in HELD_OUT) for image in real)


def test_pairs_are_straight_lines_between_two_real_images(glow):
    for row in generate(glow, "interpolation", SETTINGS, HELD_OUT, seed=0).astype(int):
        assert (row[0] == row[1]).all()
        assert (row[-1] == row[-2]).all()
        assert np.abs(row[2] - (row[1] + row[3]) / 2).max() <= 1


def test_interpolation_is_bilinear_among_four_corners(glow):
    sheet = generate(glow, "interpolation_four", SETTINGS, HELD_OUT, seed=0)[0].astype(int)
    corners = sheet[[0, 0, 2, 2], [0, 2, 0, 2]]
    assert np.abs(sheet[1, 1] - corners.mean(0)).max() <= 1
    assert np.abs(sheet[0, 1] - corners[:2].mean(0)).max() <= 1


@pytest.mark.parametrize("task", ["interpolation", "interpolation_four"])
def test_noise_in_the_latents_of_interpolation_is_a_choice(task):
    """With it the ends of a line are decoded from F_x(u), σ₁u away from F_x(0), and the same at each call."""
    torch.manual_seed(0)
    encoder = {"networks": "residual", "levels": 1, "steps": 1, "expansion": 2.0, "latent": "full"}
    vae = VAE((3, 8, 8), encoder=encoder).eval()
    part = getattr(SETTINGS, task).model_copy(update={"encoder_noise": True})
    noisy = SETTINGS.model_copy(update={task: part})
    plain, first, second = (generate(vae, task, each, HELD_OUT, seed=0) for each in (SETTINGS, noisy, noisy))
    assert (first == second).all()
    ends = (0, slice(1, -1)) if task == "interpolation" else (0,)
    assert (plain[ends] != first[ends]).mean() > 0.5
    drawn = encode(vae, HELD_OUT, torch.Generator().manual_seed(1)) - encode(vae, HELD_OUT)
    u = vae.noise(len(HELD_OUT), torch.Generator().manual_seed(1)).flatten(1)
    torch.testing.assert_close(drawn, vae.sigma1().detach() * u, rtol=0, atol=1e-5)


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


def test_batch_norm_may_take_its_statistics_from_the_prior():
    """Samples then are those of a decoder whose BatchNorms saw G's inputs for z ∼ N(0, I); reconstructions stay."""
    torch.manual_seed(0)
    vae = VAE((3, 8, 8), encoder={"networks": "residual", "levels": 1, "steps": 1, "expansion": 2.0, "latent": "full"})
    norms = [module for module in vae.decoder.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for parameter in vae.decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    for module in norms:
        module.running_mean.fill_(3.0)
    before = [generate(vae, task, SETTINGS, HELD_OUT, seed=0) for task in ("random", "reconstructions")]
    settings = SETTINGS.model_copy(update={"batch_norm": "prior"})
    reconstructed = generate(vae, "reconstructions", settings, HELD_OUT, seed=0)
    assert (reconstructed == before[1]).all()
    random = generate(vae, "random", settings, HELD_OUT, seed=0)
    assert (random != before[0]).mean() > 0.5
    inside = []
    first = vae.decoder.levels[0][0].network
    first[1].register_forward_pre_hook(lambda module, inputs: inside.append(inputs[0]))
    with torch.no_grad():
        vae.decoder(torch.randn(4000, 12, 4, 4))
    seen, module = inside[0], norms[0]
    torch.testing.assert_close(module.running_mean, seen.mean((0, 2, 3)), rtol=0, atol=0.15)
    torch.testing.assert_close(module.running_var, seen.var((0, 2, 3)), rtol=0.05, atol=0.05)
    assert module.momentum == 0.01
    assert not vae.decoder.training
    assert (generate(vae, "random", settings, HELD_OUT, seed=0) == random).all()


def test_a_flow_has_no_batch_norm_to_estimate(glow):
    settings = SETTINGS.model_copy(update={"batch_norm": "prior"})
    assert (generate(glow, "random", settings, HELD_OUT, 0) == generate(glow, "random", SETTINGS, HELD_OUT, 0)).all()


def test_samples_that_overflow_are_told(glow, capsys):
    z = torch.zeros(3, 192)
    z[1] = torch.inf
    images = decode(glow, z)
    assert (images[1] == 0).all()
    assert (images[[0, 2]] == 128).all()
    assert "1 of 3 samples are not finite numbers" in capsys.readouterr().err
    decode(glow, z[:1])
    assert "finite" not in capsys.readouterr().err


@pytest.mark.parametrize("sigma2", ["image", "channel"])
def test_grain_is_the_noise_of_the_decoder_on_the_same_latents(sigma2):
    model = VAE((3, 8, 8), encoder={"levels": 1, "steps": 1, "expansion": 1.0, "latent": "full"}, sigma2=sigma2)
    model.sigma2.set(0.1)
    without, with_noise = generate(model, "grain", SETTINGS, HELD_OUT, seed=0).astype(int)
    inside = (without > 60) & (without < 195)  # five σ₂ from black and white
    difference = (with_noise - without)[inside]
    assert difference.std() == pytest.approx(0.1 * 128, rel=0.05)
    assert abs(difference.mean()) < 1.5
    noisy = SETTINGS.model_copy(update={"random": SETTINGS.random.model_copy(update={"decoder_noise": True})})
    plain, grainy = (generate(model, "random", each, HELD_OUT, seed=0).astype(int) for each in (SETTINGS, noisy))
    assert (grainy - plain)[(plain > 60) & (plain < 195)].std() == pytest.approx(0.1 * 128, rel=0.05)
