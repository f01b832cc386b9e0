"""The couplings beside a plain reference, written as the equations are: outputs, inverses and gradients."""

import pytest
import torch
from torch import nn

from fvae.flows.coupling import COUPLINGS

CHANNELS, WIDTH = 7, 5  # an odd number: the half that moves is the larger one
ORDERS = {
    "none": None,
    "swap": torch.arange(CHANNELS).roll(3),
    "shuffle": torch.tensor([4, 0, 6, 2, 5, 1, 3]),
}
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Plain(nn.Module):
    """Equations (2) and (3) on x[:, order]: ordinary indexing, and autograd for all gradients."""

    def __init__(self, network, order, kind):
        super().__init__()
        self.network, self.order, self.kind = network, order, kind

    def scale_and_shift(self, x1, channels):
        h = self.network(x1)
        if self.kind == "additive":
            return torch.zeros_like(h), h
        return 2 * torch.tanh(h[:, :channels] / 2), h[:, channels:]

    def forward(self, x):
        x = x if self.order is None else x[:, self.order]
        x1, x2 = x[:, : CHANNELS // 2], x[:, CHANNELS // 2 :]
        log_s, t = self.scale_and_shift(x1, x2.shape[1])
        return torch.cat([x1, torch.exp(log_s) * x2 + t], 1), log_s.sum((1, 2, 3))

    def inverse(self, y):
        y1, y2 = y[:, : CHANNELS // 2], y[:, CHANNELS // 2 :]
        log_s, t = self.scale_and_shift(y1, y2.shape[1])
        moved = torch.cat([y1, torch.exp(-log_s) * (y2 - t)], 1)
        x = torch.empty_like(moved)
        x[:, slice(None) if self.order is None else self.order] = moved
        return x


def gradients(y, logdet, x, parameters):
    """Of a loss in y and the log-determinant: with respect to x and to each parameter."""
    loss = (y.sin().flatten(1).sum(1) + 0.3 * torch.as_tensor(logdet).square()).mean()
    return torch.autograd.grad(loss, [x, *parameters])


@pytest.fixture(params=FORMATS)
def pair(request, kind, order):
    """A coupling away from its start, the plain reference with the same network, and an input, in float64."""
    torch.manual_seed(0)
    coupling = COUPLINGS[kind](CHANNELS, WIDTH, ORDERS[order]).double().to(memory_format=FORMATS[request.param])
    with torch.no_grad():
        for parameter in coupling.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    x = torch.randn(3, CHANNELS, 4, 6, dtype=torch.float64).to(memory_format=FORMATS[request.param])
    return coupling, Plain(coupling.network, ORDERS[order], kind), x


everywhere = [pytest.mark.parametrize("kind", COUPLINGS), pytest.mark.parametrize("order", ORDERS)]


def of_all(test):
    """The test for every kind of coupling and every order of channels."""
    for mark in everywhere:
        test = mark(test)
    return test


@of_all
def test_the_same_output_and_log_determinant(pair):
    coupling, plain, x = pair
    y, logdet = coupling(x)
    expected, expected_logdet = plain(x)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.as_tensor(logdet).expand(3).double(), expected_logdet, rtol=1e-12, atol=1e-12)
    assert (y - x).abs().max() > 0.1


@of_all
def test_the_same_inverse(pair):
    coupling, plain, y = pair
    x = coupling.inverse(y)
    torch.testing.assert_close(x, plain.inverse(y), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(plain(x)[0], y, rtol=1e-10, atol=1e-10)


@of_all
def test_the_same_gradients(pair):
    coupling, plain, x = pair
    x.requires_grad_()
    found = gradients(*coupling(x), x, coupling.parameters())
    expected = gradients(*plain(x), x, coupling.parameters())
    assert all(gradient.abs().max() > 0 for gradient in expected)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@of_all
def test_recomputed_from_its_output_the_gradients_are_the_same(pair):
    """The input is filled in after the network has seen the half of it that is known from the start."""
    coupling, plain, x = pair
    x.requires_grad_()
    expected = gradients(*plain(x), x, coupling.parameters())
    with torch.no_grad():
        y, _ = plain(x)
    again, recomputed, logdet = coupling.recompute(y)
    torch.testing.assert_close(again, x, rtol=1e-10, atol=1e-10)
    found = gradients(recomputed, logdet, again, coupling.parameters())
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-8)
