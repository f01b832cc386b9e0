"""Encoders and decoders: shapes, starts, and what does not fit."""

import pytest
import torch

from fvae.networks import encoder_and_decoder
from fvae.networks.blocks import Doubling, pixel_norm

RESIDUAL = {"networks": "residual", "levels": 2, "steps": 1, "expansion": 1.0}
CONV = {"networks": "conv", "channels": [8, 16], "blocks": 2, "expansion": 1.5}
NIN, PGGAN = CONV | {"block": "network_in_network"}, CONV | {"block": "pggan"}


@pytest.mark.parametrize(
    ("sizes", "latent", "shape"),
    [
        (RESIDUAL, "full", (48, 4, 4)),
        (RESIDUAL, 5, (5, 4, 4)),
        (CONV, "full", (48, 4, 4)),
        (CONV, 5, (5, 4, 4)),
        (CONV, {"dense": 7}, (7, 1, 1)),
        (NIN, 5, (5, 4, 4)),
        (PGGAN, 5, (5, 4, 4)),
    ],
)
def test_any_encoder_and_decoder_have_one_interface(sizes, latent, shape):
    """E(x) and σ(x) have the latent's shape, σ(x) starts as the same for every x, and G gives an image."""
    encoder, decoder = encoder_and_decoder((3, 16, 16), latent=latent, **sizes)
    x = torch.rand(2, 3, 16, 16)
    features = encoder.features(x)
    assert encoder.shape == shape
    assert encoder(x).shape == (2, *shape)
    assert torch.equal(encoder.mean(features), encoder(x))
    assert torch.equal(encoder.head()(features), torch.zeros(2, *shape))
    assert decoder(encoder(x)).shape == x.shape


@pytest.mark.parametrize(("sizes", "latent"), [(CONV, 3), (CONV, {"dense": 7}), (NIN, 3), (PGGAN, 3)])
def test_every_weight_of_the_convolutional_networks_gets_a_gradient(sizes, latent):
    torch.manual_seed(0)
    encoder, decoder = encoder_and_decoder((3, 16, 16), latent=latent, **sizes)
    for parameter in [*encoder.parameters(), *decoder.parameters()]:
        torch.nn.init.normal_(parameter, std=0.1)  # away from the start, at which blocks are the identity
    decoder(encoder(torch.rand(2, 3, 16, 16))).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in [*encoder.parameters(), *decoder.parameters()])


@pytest.mark.parametrize("sizes", [RESIDUAL, CONV])
def test_networks_compute_in_bfloat16_and_hand_over_float32(sizes):
    encoder, decoder = encoder_and_decoder((3, 16, 16), latent=5, **sizes)
    with torch.autocast("cpu", torch.bfloat16):
        v = encoder(torch.rand(2, 3, 16, 16))
        assert v.dtype == decoder(v).dtype == torch.float32


@pytest.mark.parametrize(
    ("sizes", "latent", "message"),
    [
        (CONV | {"channels": [8] * 5}, "full", "5 levels of an encoder do not divide 16×16"),
        (CONV, 48, "a latent of 48 channels is no smaller than the image"),
        (CONV, {"dense": 768}, "a dense latent of 768 is no smaller than the image"),
        (RESIDUAL | {"levels": 5}, "full", "5 levels of an encoder do not divide 16×16"),
    ],
)
def test_what_does_not_fit_the_image_is_refused(sizes, latent, message):
    with pytest.raises(ValueError, match=message):
        encoder_and_decoder((3, 16, 16), latent=latent, **sizes)


def test_pixel_norm_gives_every_pixel_the_same_power():
    x = 3 * torch.randn(2, 8, 4, 4)
    torch.testing.assert_close(pixel_norm(x).square().mean(1), torch.ones(2, 4, 4))


def test_doubling_by_repetition_repeats_pixels():
    x = Doubling(8, 4, repeat=True)(torch.randn(2, 8, 4, 4))
    assert x.shape == (2, 4, 8, 8)
    assert torch.equal(x[:, :, ::2, ::2], x[:, :, 1::2, 1::2])
    assert Doubling(8, 4, repeat=False)(torch.randn(2, 8, 4, 4)).shape == (2, 4, 8, 8)
