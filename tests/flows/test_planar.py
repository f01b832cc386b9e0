"""Planar steps: the closed form of the determinant, and the constraint that makes them invertible."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from fvae.flows.planar import planar


def numbers(dims, scale, seed=0):
    """f, w, u, b of four images."""
    generator = torch.Generator().manual_seed(seed)
    f, w, u = (scale * torch.randn(4, dims, generator=generator, dtype=torch.float64) for _ in range(3))
    return f, w, u, torch.randn(4, generator=generator, dtype=torch.float64)


@settings(max_examples=20, deadline=None)
@given(dims=st.integers(1, 6), scale=st.sampled_from([0.1, 1.0, 3.0]), seed=st.integers(0, 99))
def test_the_log_determinant_is_that_of_autograd(dims, scale, seed):
    f, w, u, b = numbers(dims, scale, seed)
    _, logdet = planar(f, w, u, b)
    for i in range(4):
        one = [each[i : i + 1] for each in (w, u, b)]
        jacobian = torch.autograd.functional.jacobian(lambda v, one=one: planar(v[None], *one)[0][0], f[i])
        sign, value = torch.linalg.slogdet(jacobian)
        assert sign > 0
        torch.testing.assert_close(logdet[i], value, rtol=1e-6, atol=1e-8)


def test_a_step_is_the_formula_of_the_paper():
    """f + û tanh(wᵀf + b), where û differs from u along w alone."""
    f, w, u, b = numbers(5, 1.0)
    z, _ = planar(f, w, u, b)
    moved = (z - f) / torch.tanh((w * f).sum(1) + b)[:, None]
    apart = moved - u
    parallel = (apart * w).sum(1, keepdim=True) / w.square().sum(1, keepdim=True) * w
    torch.testing.assert_close(apart, parallel)
    product = 10 * torch.tanh((w * u).sum(1) / 10)
    torch.testing.assert_close((w * moved).sum(1), torch.log1p((math.e - 1) * product.exp()) - 1)


@pytest.mark.parametrize("against", [-50.0, -3.0, 0.0, 3.0])
def test_a_step_is_invertible_whatever_the_network_says(against):
    """Without the constraint, wᵀu ≤ −1 would fold space. The inverse is found by bisection along w."""
    f, w, u, b = numbers(5, 1.0)
    u = u + against * w
    z, _ = planar(f, w, u, b)
    along = (w * (z - f)).sum(1) / torch.tanh((w * f).sum(1) + b)
    assert (along > -1).all()
    for i in range(4):
        goal = float((w[i] * z[i]).sum())

        def image(a, i=i):
            return a + float(along[i]) * math.tanh(a + float(b[i]))

        reach = abs(goal) + abs(float(along[i])) + 1
        found = brentq(lambda a, goal=goal, image=image: image(a) - goal, -reach, reach, xtol=1e-12)
        assert found == pytest.approx(float((w[i] * f[i]).sum()), abs=1e-6)


def test_a_step_starts_as_the_identity():
    f, w, u, b = numbers(5, 1.0)
    z, logdet = planar(f, w, torch.zeros_like(u), b)
    torch.testing.assert_close(z, f)
    torch.testing.assert_close(logdet, torch.zeros(4, dtype=torch.float64))
