import pytest
import torch
import torch.nn.functional as F

from fvae.evaluation.max_pool import MaxPool2x2


@pytest.mark.parametrize("side", [2, 7, 16])
def test_the_maximum_of_squares_is_that_of_pytorch_with_its_gradient(side):
    x = torch.randn(3, 5, side, side).round().requires_grad_()  # with equal values in a square
    ours, theirs = MaxPool2x2()(x), F.max_pool2d(x, 2)
    assert torch.equal(ours, theirs)
    assert torch.equal(MaxPool2x2()(x.detach()), theirs)
    weight = torch.randn_like(ours)
    assert torch.equal(*(torch.autograd.grad((weight * pooled).sum(), x)[0] for pooled in (ours, theirs)))
