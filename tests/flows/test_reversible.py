"""Reversible training: the gradients of plain autograd, with activations recomputed from the output."""

import pytest
import torch

from fvae.flows.coupling import AdditiveCoupling, AffineCoupling
from fvae.flows.multiscale import MultiScaleFlow

FLOW = {"levels": 2, "steps": 3, "width": 6, "actnorm": True}


def perturbed(module):
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return module


def gradients(flow, x):
    """Of a loss in z and the log-determinant: with respect to the image and to every parameter."""
    x = x.clone().requires_grad_()
    z, logdet = flow(x)
    loss = (z.sin().sum(1) - logdet.square()).mean()
    return [loss.detach(), *torch.autograd.grad(loss, [x, *flow.parameters()])]


@pytest.mark.parametrize("coupling", ["additive", "affine"])
@pytest.mark.parametrize("mixing", ["swap", "shuffle", "conv1x1", "checkerboard"])
@pytest.mark.parametrize("actnorm", [True, False])
def test_gradients_are_those_of_plain_autograd(coupling, mixing, actnorm):
    settings = FLOW | {"coupling": coupling, "mixing": mixing, "actnorm": actnorm}
    flow = perturbed(MultiScaleFlow((3, 8, 8), **settings, squeeze_first=True).double())
    x = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    plain = gradients(flow, x)
    flow.reversible = True
    again = gradients(flow, x)
    assert len(plain) == 2 + len(list(flow.parameters()))
    for a, b in zip(plain, again, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_under_autocast_it_recomputes_under_autocast():
    flow = perturbed(MultiScaleFlow((3, 8, 8), **FLOW, coupling="affine", mixing="conv1x1", squeeze_first=True))
    x = torch.randn(16, 3, 8, 8)

    def all_gradients():
        with torch.autocast("cpu", torch.bfloat16):
            return torch.cat([part.flatten() for part in gradients(flow, x)])

    plain = all_gradients()
    flow.reversible = True
    again = all_gradients()
    assert torch.nn.functional.cosine_similarity(plain, again, 0) > 0.999


def test_no_activation_of_a_step_is_kept():
    """What autograd saves does not grow with the steps."""

    def saved(steps, reversible):
        settings = FLOW | {"levels": 1, "steps": steps, "coupling": "affine", "mixing": "conv1x1"}
        flow = MultiScaleFlow((3, 16, 16), **settings, squeeze_first=True)
        flow.reversible = reversible
        parameters = {parameter.data_ptr() for parameter in flow.parameters()}
        elements = 0

        def pack(tensor):
            nonlocal elements
            elements += tensor.numel() if tensor.data_ptr() not in parameters and tensor.dim() == 4 else 0
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            flow(torch.randn(8, 3, 16, 16))
        return elements

    assert saved(8, False) > 1.9 * saved(4, False)
    assert saved(8, True) == saved(4, True) < saved(4, False) / 4


@pytest.mark.parametrize("order", [None, torch.tensor([3, 0, 4, 1, 5, 2])], ids=["in order", "shuffled"])
@pytest.mark.parametrize("kind", [AdditiveCoupling, AffineCoupling])
def test_a_coupling_recomputes_with_one_evaluation_of_its_network(kind, order):
    coupling = perturbed(kind(6, 4, order).double())
    calls = []
    coupling.network.register_forward_hook(lambda *_: calls.append(1))
    x = torch.randn(2, 6, 3, 3, dtype=torch.float64)
    y, logdet = coupling(x)
    calls.clear()
    found, again, logdet_again = coupling.recompute(y.detach())
    assert len(calls) == 1
    torch.testing.assert_close(found.detach(), x)
    torch.testing.assert_close(again, y)
    torch.testing.assert_close(torch.as_tensor(logdet_again), torch.as_tensor(logdet))
    (gradient,) = torch.autograd.grad(again.cos().sum(), found)
    leaf = x.clone().requires_grad_()
    torch.testing.assert_close(gradient, torch.autograd.grad(coupling(leaf)[0].cos().sum(), leaf)[0])
