"""Every layer: log-determinants against autograd's Jacobian in float64, inverses, and the start."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fvae.flows.actnorm import Actnorm, data_dependent_start
from fvae.flows.conv import Conv3x3
from fvae.flows.coupling import AdditiveCoupling, AffineCoupling
from fvae.flows.layer import Layer
from fvae.flows.mixing import InvertibleConv1x1, shuffle, swap
from fvae.flows.multiscale import MultiScaleFlow, step
from fvae.flows.split import Split
from fvae.flows.squeeze import squeeze, unsqueeze

LAYERS = {
    "actnorm": Actnorm,
    "conv1x1": InvertibleConv1x1,
    "additive": lambda channels: AdditiveCoupling(channels, 5),
    "affine": lambda channels: AffineCoupling(channels, 5),
    "swapped": lambda channels: AdditiveCoupling(channels, 5, swap(channels)),
    "shuffled": lambda channels: AffineCoupling(channels, 5, shuffle(channels)),
    "step": lambda channels: step(channels, 5, "affine", "conv1x1", actnorm=True),
    "NICE's step": lambda channels: step(channels, 5, "additive", "swap", actnorm=False),
}
FLOW = {"levels": 2, "steps": 2, "width": 4, "coupling": "affine", "mixing": "shuffle", "actnorm": True}


def perturbed(module: torch.nn.Module) -> torch.nn.Module:
    """In float64, away from its start, but for 1×1 convolutions of many channels not so far that they are singular."""
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.2 / max(1.0, len(parameter) / 12) * torch.randn_like(parameter)
    return module


def jacobian_logdet(function, x: torch.Tensor) -> torch.Tensor:
    """log|det| of the Jacobian of a map of one image, by autograd."""
    jacobian = torch.autograd.functional.jacobian(lambda image: function(image[None])[0].flatten(), x)
    return torch.linalg.slogdet(jacobian.reshape(x.numel(), x.numel()))[1]


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=8, deadline=None)
@given(channels=st.integers(2, 6), height=st.integers(1, 3), width=st.integers(1, 3), seed=st.integers(0, 99))
def test_log_determinant_and_inverse(name, channels, height, width, seed):
    torch.manual_seed(seed)
    layer: Layer = perturbed(LAYERS[name](channels))
    x = torch.randn(2, channels, height, width, dtype=torch.float64)
    y, logdet = layer(x)
    torch.testing.assert_close(layer.inverse(y), x, rtol=0, atol=1e-9)
    logdets = torch.as_tensor(logdet, dtype=torch.float64).expand(2)
    for image, value in zip(x, logdets, strict=True):
        torch.testing.assert_close(value.detach(), jacobian_logdet(lambda v: layer(v)[0], image), rtol=0, atol=1e-7)


@settings(max_examples=10, deadline=None)
@given(
    levels=st.integers(1, 3),
    squeeze_first=st.booleans(),
    coupling=st.sampled_from(["additive", "affine"]),
    mixing=st.sampled_from(["swap", "shuffle", "conv1x1", "checkerboard"]),
    actnorm=st.booleans(),
    seed=st.integers(0, 99),
)
def test_multiscale_flow(levels, squeeze_first, coupling, mixing, actnorm, seed):
    torch.manual_seed(seed)
    squeeze_first = squeeze_first or mixing == "checkerboard"
    shape = (3, 8, 8) if squeeze_first else (4, 4, 4)
    flow = perturbed(
        MultiScaleFlow(
            shape,
            levels=levels,
            steps=1,
            width=4,
            coupling=coupling,
            mixing=mixing,
            actnorm=actnorm,
            squeeze_first=squeeze_first,
        )
    )
    x = torch.randn(2, *shape, dtype=torch.float64)
    z, logdet = flow(x)
    assert z.shape == (2, x[0].numel())
    torch.testing.assert_close(flow.inverse(z), x, rtol=0, atol=1e-7)
    torch.testing.assert_close(logdet[0].detach(), jacobian_logdet(lambda v: flow(v)[0], x[0]), rtol=0, atol=1e-7)


def test_a_flow_starts_as_a_permutation_with_log_determinant_zero():
    flow = MultiScaleFlow((12, 8, 8), **FLOW | {"levels": 3}, squeeze_first=False)
    x = torch.randn(2, 12, 8, 8)
    z, logdet = flow(x)
    assert torch.equal(z.sort(1).values, x.flatten(1).sort(1).values)
    assert torch.equal(logdet, torch.zeros(2))


@pytest.mark.parametrize(("shape", "squeeze_first"), [((3, 8, 8), True), ((12, 4, 8), False)])
def test_assembling_puts_the_parts_of_z_where_they_came_from(shape, squeeze_first):
    """At their start, two steps that swap halves are the identity: F does no more than order the values."""
    flow = MultiScaleFlow(shape, **FLOW | {"mixing": "swap"}, squeeze_first=squeeze_first)
    x = torch.randn(2, *shape)
    assert torch.equal(flow.assemble(flow(x)[0]), x)


def test_a_flow_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not divide"):
        MultiScaleFlow((3, 6, 6), **FLOW, squeeze_first=True)
    with pytest.raises(ValueError, match="level 0 of a flow has one channel"):
        MultiScaleFlow((1, 4, 4), **FLOW, squeeze_first=False)
    with pytest.raises(ValueError, match="a checkerboard is one of the pixels of an image"):
        MultiScaleFlow((4, 4, 4), **FLOW | {"mixing": "checkerboard"}, squeeze_first=False)


def test_swapped_halves_take_turns():
    """Two steps move every channel; NICE's step alone moves one half."""
    x = torch.randn(1, 4, 2, 2, dtype=torch.float64)
    one, two = (perturbed(torch.nn.ModuleList(step(4, 5, "additive", "swap", False) for _ in range(n))) for n in (1, 2))
    moved = (one[0](x)[0] - x.roll(2, 1)).abs().amax((0, 2, 3)) > 1e-6
    assert moved.tolist() == [False, False, True, True]
    assert ((two[1](two[0](x)[0])[0] - x).abs().amax((0, 2, 3)) > 1e-6).all()


def test_actnorms_start_with_zero_mean_and_unit_variance():
    flow = MultiScaleFlow((3, 8, 8), **FLOW, squeeze_first=True)
    outputs = []
    for layer in flow.modules():
        if isinstance(layer, Actnorm):
            layer.register_forward_hook(lambda _, inputs, output: outputs.append(output[0]))
    x = 3 * torch.randn(64, 3, 8, 8) + 5
    with data_dependent_start(flow):
        flow(x)
    outputs.clear()
    flow(x)
    assert len(outputs) == 5
    for y in outputs:
        std, mean = torch.std_mean(y, dim=(0, 2, 3), correction=0)
        torch.testing.assert_close(mean, torch.zeros_like(mean), rtol=0, atol=1e-4)
        torch.testing.assert_close(std, torch.ones_like(std), rtol=0, atol=1e-3)


def test_squeeze_keeps_every_value_and_unsqueezes():
    x = torch.arange(2 * 3 * 4 * 6.0).reshape(2, 3, 4, 6)
    y = squeeze(x)
    assert y.shape == (2, 12, 2, 3)
    assert torch.equal(y[0, :4, 0, 0], torch.stack([x[0, 0, 0, 0], x[0, 0, 0, 1], x[0, 0, 1, 0], x[0, 0, 1, 1]]))
    assert torch.equal(unsqueeze(y), x)


@pytest.mark.parametrize("bound", [4.0, 0.5, None])
def test_split_inverts_and_normalises_what_leaves(bound):
    """Log-scales of 6 and more stay within the bound, or as they are where there is none."""
    split = perturbed(Split(6, bound))
    with torch.no_grad():
        split.network.bias[:3] += 6
    x = torch.randn(2, 6, 2, 2, dtype=torch.float64)
    x1, z2, logdet = split(x)
    log_s, _ = split.scale_and_shift(x1)
    raw = split.network(x1)[:, :3]
    assert raw.min() > 2
    torch.testing.assert_close(log_s, raw if bound is None else bound * torch.tanh(raw / bound), rtol=0, atol=0)
    torch.testing.assert_close(split.inverse(x1, z2), x)
    torch.testing.assert_close(logdet, log_s.flatten(1).sum(1))
    value = jacobian_logdet(lambda v: torch.cat(split(v)[:2], 1), x[0])
    torch.testing.assert_close(logdet[0].detach(), value)


def test_the_centre_tap_is_the_whole_convolution_on_one_pixel():
    conv = Conv3x3(4, 7)
    torch.nn.init.normal_(conv.weight)
    x = torch.randn(3, 4, 1, 1)
    torch.testing.assert_close(conv(x), torch.nn.functional.conv2d(x, conv.weight, conv.bias, padding=1))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_on_few_pixels_the_convolution_and_its_gradients_are_the_same(size, memory_format):
    conv = Conv3x3(4, 7).double().to(memory_format=memory_format)
    torch.nn.init.normal_(conv.bias)
    x = torch.randn(3, 4, *size, dtype=torch.float64).contiguous(memory_format=memory_format).requires_grad_()
    found, expected = conv(x), torch.nn.functional.conv2d(x, conv.weight, conv.bias, padding=1)
    torch.testing.assert_close(found, expected)
    gradients = (torch.autograd.grad(y.sin().sum(), [x, conv.weight, conv.bias]) for y in (found, expected))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gradients_of_latents_keep_channels_last():
    """In another format they would slow down every layer before."""
    flow = MultiScaleFlow((3, 8, 8), **FLOW, squeeze_first=True).to(memory_format=torch.channels_last)
    formats = []
    for split in flow.splits:
        split.register_full_backward_pre_hook(lambda _, gradients: formats.append(gradients[1]))
    x = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last).requires_grad_()
    flow(x)[0].sin().sum().backward()
    assert len(formats) == 1
    assert formats[0].is_contiguous(memory_format=torch.channels_last)


def test_lu_weights_are_a_rotation_at_the_start():
    layer = InvertibleConv1x1(12).double()
    weight = layer.weight()
    torch.testing.assert_close(weight @ weight.T, torch.eye(12, dtype=torch.float64), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", [AdditiveCoupling, AffineCoupling])
def test_a_coupling_reads_through_an_order(kind):
    """It is the permutation and then the coupling, its gradient too."""
    torch.manual_seed(0)
    order = torch.randperm(7)
    through = perturbed(kind(7, 5, order))
    plain = kind(7, 5).double()
    plain.network = through.network
    x = torch.randn(2, 7, 3, 3, dtype=torch.float64, requires_grad=True)
    (y, logdet), (expected, expected_logdet) = through(x), plain(x[:, order])
    torch.testing.assert_close(y, expected, rtol=0, atol=0)
    torch.testing.assert_close(torch.as_tensor(logdet), torch.as_tensor(expected_logdet), rtol=0, atol=0)
    gradients = (torch.autograd.grad(each.sin().sum(), x)[0] for each in (y, expected))
    torch.testing.assert_close(*gradients)


def test_orders():
    assert swap(4).tolist() == [2, 3, 0, 1]
    assert swap(5).tolist() == [2, 3, 4, 0, 1]
    assert shuffle(9).sort().values.tolist() == list(range(9))


def masks_of_a_level(steps):
    """What each step of a level leaves as it is, on an image of 3×4×4: True where a pixel stays, (steps, 3, 4, 4)."""
    flow = MultiScaleFlow(
        (3, 4, 4), **FLOW | {"levels": 1, "steps": steps, "mixing": "checkerboard"}, squeeze_first=True
    )
    places = torch.arange(48.0).reshape(
        1, 3, 4, 4
    )  # its couplings start as the identity: values say where they came from
    x, found = squeeze(places), []
    for layer in flow.levels[0].layers:
        x, _ = layer(x)
        stays = torch.zeros(48, dtype=torch.bool)
        stays[x[:, :6].flatten().long()] = True
        found.append(stays.view(3, 4, 4))
    return torch.stack(found)


def test_the_masks_of_a_checkerboard_are_those_of_realnvp():
    """Three checkerboards and three halves of the squeezed channels, each the opposite of the one before it."""
    masks = masks_of_a_level(6)
    rows, columns = torch.arange(4)[:, None], torch.arange(4)
    board = ((rows + columns) % 2 == 0).expand(3, 4, 4)
    assert all(torch.equal(mask, expected) for mask, expected in zip(masks[:3], (board, ~board, board), strict=True))
    half = unsqueeze(torch.cat([torch.ones(1, 6, 2, 2), torch.zeros(1, 6, 2, 2)], 1))[0] == 1
    assert all(torch.equal(mask, expected) for mask, expected in zip(masks[3:], (~half, half, ~half), strict=True))


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_checkerboard_comes_first_for_any_number_of_steps(steps):
    masks = masks_of_a_level(steps)
    board = (torch.arange(4)[:, None] + torch.arange(4)) % 2 == 0
    boards = [bool((mask == board).all() or (mask == ~board).all()) for mask in masks]
    assert boards == [index < (steps + 1) // 2 for index in range(steps)]
    assert all((masks[i] != masks[i + 1]).all() for i in range(steps - 1) if boards[i] == boards[i + 1])
