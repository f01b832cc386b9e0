"""SWD against a slow, independent calculation and closed forms, and what it must tell apart."""

from math import gamma, pi, sqrt

import numpy as np
import pytest
import scipy.ndimage
import torch

from fvae.errors import UserError
from fvae.evaluation.swd import (
    DistanceTo,
    descriptors,
    laplacian_pyramid,
    random_patches,
    sorted_projections,
    wasserstein,
)

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same numbers, whichever tests ran before it."""
    RNG.bit_generator.state = START


def swd(real, fake, **settings):
    return DistanceTo(real, **settings)(fake)


def faces(n, size=32):
    """Smooth random images."""
    noise = RNG.normal(size=(n, 3, size, size))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, 0, 3, 3))
    return np.clip(128 + 400 * smooth, 0, 255).astype(np.uint8)


def noisy(images, scale=12):
    return np.clip(images + RNG.normal(scale=scale, size=images.shape), 0, 255).astype(np.uint8)


def slow_pyramid(images):
    """Blur by the binomial kernel with mirrored borders, every other pixel, and what that loses."""
    row = np.array([1, 4, 6, 4, 1]) / 16
    kernel = np.outer(row, row)[None, None]
    levels, current = [], images.astype(np.float64)
    while current.shape[-1] > 16:
        smaller = scipy.ndimage.convolve(current, kernel, mode="mirror")[:, :, ::2, ::2]
        spread = np.zeros_like(current)
        spread[:, :, ::2, ::2] = smaller
        levels.append(current - scipy.ndimage.convolve(spread, 4 * kernel, mode="mirror"))
        current = smaller
    return [*levels, current]


def slow_swd(real, fake, patches, directions):
    """The definition in loops, with random places and directions of its own."""

    def cut(level):
        found = []
        for image in level:
            for _ in range(patches):
                y, x = RNG.integers(0, image.shape[1] - 6), RNG.integers(0, image.shape[2] - 6)
                found.append(image[:, y : y + 7, x : x + 7])
        found = np.array(found)
        for channel in range(found.shape[1]):
            found[:, channel] = (found[:, channel] - found[:, channel].mean()) / found[:, channel].std()
        return found.reshape(len(found), -1)

    distances = {}
    for ours, theirs in zip(slow_pyramid(real), slow_pyramid(fake), strict=True):
        a, b = cut(ours), cut(theirs)
        along = RNG.normal(size=(directions, a.shape[1]))
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        distances[ours.shape[-1]] = 1e3 * np.mean([np.abs(np.sort(a @ w) - np.sort(b @ w)).mean() for w in along])
    return distances


def test_the_pyramid_is_that_of_the_authors():
    images = faces(2, 64)
    for ours, theirs in zip(laplacian_pyramid(torch.from_numpy(images).float()), slow_pyramid(images), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-3)


def test_the_distance_is_that_of_the_slow_definition():
    real = faces(400)  # with few images the number depends on the directions by more than is allowed here
    fake = noisy(faces(400), scale=4)
    ours, theirs = swd(real, fake, patches=64, seed=0), slow_swd(real, fake, patches=64, directions=512)
    assert ours == pytest.approx(theirs, rel=0.08)  # the places and the directions are drawn anew


def test_patches_are_windows_of_their_image():
    level = torch.from_numpy(RNG.normal(size=(3, 2, 9, 10)))
    chosen = random_patches(level, 500, torch.Generator().manual_seed(0)).reshape(3, 500, 2, 7, 7)
    for image, patches in zip(level, chosen, strict=True):
        windows = [image[:, y : y + 7, x : x + 7] for y in range(3) for x in range(4)]
        counts = [sum(torch.equal(patch, window) for patch in patches) for window in windows]
        assert sum(counts) == 500
        assert min(counts) > 20  # of 42 expected: every place, borders too


def test_the_distance_of_a_shifted_set_is_the_shift():
    """W1 of a set and the set shifted by v is |v·w| along w; its mean over all directions is known."""
    dims, shift = 147, 2.0
    a = torch.from_numpy(RNG.normal(size=(100, dims))).float()
    b = a[torch.from_numpy(RNG.permutation(100))] + shift * torch.eye(dims)[0]
    expected = shift * gamma(dims / 2) / (sqrt(pi) * gamma((dims + 1) / 2))
    projected = (sorted_projections(each, 5000, torch.Generator().manual_seed(0)) for each in (a, b))
    assert wasserstein(*projected) == pytest.approx(expected, rel=0.04)


def test_a_set_and_itself_and_a_noisy_one():
    images, others = faces(200), faces(200)
    same = swd(images, images, patches=16, seed=0)
    alike = swd(images, others, patches=16, seed=0)
    different = swd(images, noisy(others), patches=16, seed=0)
    assert list(same) == [32, 16]
    assert set(same.values()) == {0.0}
    assert different[32] > 3 * alike[32]


def test_descriptors_are_normalised_by_set_and_channel():
    for level in descriptors(faces(50), patches=16, seed=0).values():
        channels = level.reshape(len(level), 3, 49).transpose(0, 1).flatten(1)
        torch.testing.assert_close(channels.mean(1), torch.zeros(3), atol=1e-4, rtol=0)
        torch.testing.assert_close(channels.std(1), torch.ones(3), atol=1e-4, rtol=0)
    dark = faces(50) // 4
    brighter = np.array([2, 3, 4], np.uint8)[:, None, None] * dark + np.array([9, 5, 0], np.uint8)[:, None, None]
    assert max(swd(dark, brighter, patches=16, seed=0).values()) < 0.1


def test_constant_images_are_zero_apart():
    black, white = (np.full((5, 3, 32, 32), value, np.uint8) for value in (0, 255))
    assert swd(black, white, patches=4, seed=0) == {32: 0.0, 16: 0.0}


def test_kept_projections_of_an_array_file_give_the_same_number(tmp_path):
    images, others = faces(40), faces(40)
    np.save(tmp_path / "images.npy", images)
    kept = DistanceTo(np.load(tmp_path / "images.npy", mmap_mode="r"), patches=8, directions=200, seed=0)
    expected = swd(images, others, patches=8, directions=200, seed=0)
    assert swd(others, images, patches=8, directions=200, seed=0) == expected
    for _ in range(2):
        assert kept(others) == expected
    assert expected != swd(images, others, patches=8, directions=200, seed=1)
    assert expected != swd(images, others, patches=8, seed=0)


@pytest.mark.parametrize(("size", "levels"), [(16, [16]), (48, [48, 24]), (50, [50, 25]), (64, [64, 32, 16])])
def test_levels_are_halved_down_to_sixteen(size, levels):
    assert list(descriptors(faces(2, size), patches=2, seed=0)) == levels


@pytest.mark.parametrize(("n", "m", "message"), [(3, 4, "same shape"), (0, 0, "no real images")])
def test_sets_of_different_sizes_and_empty_ones_are_refused(n, m, message):
    empty = np.zeros((4, 3, 32, 32), np.uint8)
    with pytest.raises(UserError, match=message):
        swd(empty[:n], empty[:m], patches=2, seed=0)
