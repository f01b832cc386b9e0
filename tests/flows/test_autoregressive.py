"""Autoregressive steps: masks, log-determinants against autograd, the sequential inverse."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fvae.flows.autoregressive import AutoregressiveFlow, AutoregressiveStep
from fvae.flows.latent import latent_flow
from fvae.flows.made import MADE
from fvae.flows.multiscale import MultiScaleFlow


def perturbed(module):
    """In float64, away from its start."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.double().parameters():
            parameter += 0.5 * torch.randn_like(parameter)
    return module


def jacobian(function, x):
    """∂function/∂x at one image, (d, d)."""
    found = torch.autograd.functional.jacobian(lambda v: function(v[None])[0], x)
    return found.reshape(x.numel(), x.numel())


@pytest.mark.parametrize("context", [0, 4])
@pytest.mark.parametrize(("dims", "width"), [(2, 1), (5, 3), (6, 6), (7, 40)])
def test_an_output_depends_on_the_inputs_before_it_alone(dims, width, context):
    """Where the layer is wide enough, on all of them."""
    network = perturbed(MADE(dims, width, context))
    x = torch.randn(20, dims, dtype=torch.float64)
    h = torch.randn(20, context, dtype=torch.float64) if context else None
    before = torch.ones(dims, dims, dtype=torch.bool).tril(-1)
    for output in (0, 1):
        sees = torch.zeros(dims, dims, dtype=torch.bool)
        for i in range(20):
            of_image = None if h is None else h[i : i + 1]
            sees |= jacobian(lambda v, h=of_image, output=output: network(v, h)[output], x[i]) != 0
        assert not sees[~before].any()
        if width >= 5 * dims:
            assert sees[before].all()


def test_every_output_sees_the_context():
    network = perturbed(MADE(5, 40, 3))
    x, h = torch.randn(1, 5, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    sees = torch.autograd.functional.jacobian(lambda v: torch.cat(network(x, v[None]))[:, None], h)
    assert (sees != 0).all()


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("context", [0, 3])
@settings(max_examples=8, deadline=None)
@given(dims=st.integers(2, 8), width=st.integers(1, 12), seed=st.integers(0, 99))
def test_log_determinant_and_inverse(backwards, context, dims, width, seed):
    step = perturbed(AutoregressiveStep(dims, width, backwards=backwards, context=context))
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(3, dims, generator=generator, dtype=torch.float64)
    h = torch.randn(3, context, generator=generator, dtype=torch.float64) if context else None
    y, logdet = step(x, h)
    torch.testing.assert_close(step.inverse(y, h), x, rtol=0, atol=1e-9)
    for i in range(3):
        found = jacobian(lambda v, i=i: step(v, h if h is None else h[i : i + 1])[0], x[i])
        torch.testing.assert_close(logdet[i].detach(), torch.linalg.slogdet(found)[1])
        beyond = found.tril(-1) if backwards else found.triu(1)
        assert not beyond.any()


def test_steps_look_forwards_and_backwards_in_turn():
    flow = AutoregressiveFlow((2, 1, 1), steps=3, width=4)
    assert [step.backwards for step in flow.steps] == [False, True, False]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_flow_has_its_log_determinant_and_inverts(steps):
    flow = perturbed(AutoregressiveFlow((3, 2, 2), steps=steps, width=15))
    x = torch.randn(2, 3, 2, 2, dtype=torch.float64)
    z, logdet = flow(x)
    assert z.shape == (2, 12)
    torch.testing.assert_close(flow.inverse(z), x, rtol=0, atol=1e-8)
    found = jacobian(lambda v: flow(v)[0], x[0])
    torch.testing.assert_close(logdet[0].detach(), torch.linalg.slogdet(found)[1])


def test_a_flow_starts_as_the_identity():
    flow = AutoregressiveFlow((3, 2, 2), steps=2, width=5)
    x = torch.randn(4, 3, 2, 2)
    z, logdet = flow(x)
    assert torch.equal(z, x.flatten(1))
    assert torch.equal(logdet, torch.zeros(4))


def test_scales_are_bounded():
    step = AutoregressiveStep(4, 5, backwards=False)
    with torch.no_grad():
        step.network.last.bias[:4] = 1e3
    _, logdet = step(torch.randn(1, 4))
    assert logdet.item() == pytest.approx(4 * 2)


def test_one_dimension_is_refused():
    with pytest.raises(ValueError, match="at least two dimensions"):
        AutoregressiveFlow((1, 1, 1), steps=1, width=4)


def test_the_flows_of_a_latent():
    settings = {"levels": 1, "steps": 1, "width": 4, "coupling": "affine", "mixing": "swap", "actnorm": True}
    assert isinstance(latent_flow((4, 2, 2), **settings), MultiScaleFlow)
    assert isinstance(latent_flow((4, 2, 2), kind="autoregressive", steps=1, width=4), AutoregressiveFlow)
