"""Images from a trained model for metrics and figures: one uint8 array per task."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from fvae.data.pixels import centre, quantise
from fvae.errors import UserError
from fvae.models.base import Model
from fvae.params import Sampling
from fvae.progress import progress
from fvae.seeding import numpy_generator, torch_generator
from fvae.training.ema import BATCH_NORM_IMAGES

BATCH = 250


def generate(model: Model, task: str, settings: Sampling, held_out: np.ndarray, seed: int) -> np.ndarray:
    """The uint8 images of a task; `held_out` are the real ones that are reconstructed and interpolated, (N, C, H, W).

    random: (draws, images, C, H, W), samples at a temperature, with fresh z for each draw, with the noise of q(x|z) or
        without it.
    sheets: (images, C, H, W), samples at a temperature, without that noise.
    temperatures: (T, images, C, H, W), the same u at each temperature.
    reconstructions: (2, images, C, H, W), real images, then what is decoded from their noise-free latents.
    interpolation: (pairs, steps + 2, C, H, W), straight lines between two latents, between the two real images.
    interpolation_four: (sheets, steps, steps, C, H, W), bilinear among the latents of four real images, which lie in
        the corners.
    grain: (2, images, C, H, W), samples at T = 1 without the noise of q(x|z), then of the same z with it.
    """
    generator = torch_generator(seed, "sample", task)

    def chosen(n: int) -> np.ndarray:
        if n > len(held_out):
            raise UserError(f"sampling.{task}: {n} real images needed, {len(held_out)} held out")
        return held_out[numpy_generator(seed, "sample", task).choice(len(held_out), n, replace=False)]

    if task in ("random", "sheets", "temperatures", "grain") and settings.batch_norm == "prior":
        reestimate_batch_norm(model, torch_generator(seed, "sample", "batch_norm"))
    if task == "random":
        random = settings.random
        drawn = np.empty((random.draws, random.images, *model.shape), np.uint8)
        for draw in range(random.draws):
            generator = torch_generator(seed, "sample", task, draw)
            drawn[draw] = sample(
                model, random.images, generator, temperature=random.temperature, noise=random.decoder_noise
            )
        return drawn
    if task == "grain":
        both = [(torch_generator(seed, "sample", task), noise) for noise in (False, True)]
        return np.stack([sample(model, settings.grain.images, same, noise=noise) for same, noise in both])
    if task == "sheets":
        return sample(model, settings.sheets.images, generator, temperature=settings.sheets.temperature)
    if task == "temperatures":
        z = latents(model, settings.temperatures.images, generator)
        return np.stack([decode(model, temperature * z) for temperature in settings.temperatures.temperatures])
    if task == "reconstructions":
        real = chosen(settings.reconstructions.images)
        return np.stack([real, decode(model, encode(model, real))])
    if task == "interpolation":
        pairs, steps = settings.interpolation.pairs, settings.interpolation.steps
        real = chosen(2 * pairs)
        noise = generator if settings.interpolation.encoder_noise else None
        first, last = encode(model, real, noise).unflatten(0, (pairs, 2)).unbind(1)
        z = lerp(first[:, None], last[:, None], torch.linspace(0, 1, steps)[None, :, None])
        between = decode(model, z.flatten(0, 1)).reshape(pairs, steps, *model.shape)
        ends = real.reshape(pairs, 2, *model.shape)
        return np.concatenate([ends[:, :1], between, ends[:, 1:]], axis=1)
    assert task == "interpolation_four", task
    sheets, steps = settings.interpolation_four.sheets, settings.interpolation_four.steps
    noise = generator if settings.interpolation_four.encoder_noise else None
    a, b, c, d = encode(model, chosen(4 * sheets), noise).unflatten(0, (sheets, 4))[:, :, None, None].unbind(1)
    t = torch.linspace(0, 1, steps)
    down, across = t[None, :, None, None], t[None, None, :, None]
    z = lerp(lerp(a, b, across), lerp(c, d, across), down)
    return decode(model, z.flatten(0, 2)).reshape(sheets, steps, steps, *model.shape)


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """(1 − t) a + t b."""
    return (1 - t) * a + t * b


@torch.no_grad()
def reestimate_batch_norm(model: Model, generator: torch.Generator) -> None:
    """Replace the statistics of the decoder's BatchNorms by those for v = F⁻¹(z) with z ∼ N(0, I)."""
    device = next(model.parameters()).device
    prior = (model.invert(part.to(device)) for part in latents(model, BATCH_NORM_IMAGES, generator).split(BATCH))
    update_bn(prior, model.decoder)


def latents(model: Model, n: int, generator: torch.Generator) -> Tensor:
    """n draws from the prior at T = 1, (n, d)."""
    return model.noise(n, generator).flatten(1)


@torch.no_grad()
def encode(model: Model, images: np.ndarray, noise: torch.Generator | None = None) -> Tensor:
    """The latents of uint8 images, without noise or with u drawn from it: (N, C, H, W) → (N, d), on the CPU."""
    device = next(model.parameters()).device
    model.eval()
    u = None if noise is None else model.noise(len(images), noise)
    z = []
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        x = centre(torch.from_numpy(np.array(images[part])).to(device), model.bits)
        z.append(model.encode(x, None if u is None else u[part].to(device)).cpu())
    return torch.cat(z)


def sample(
    model: Model,
    n: int,
    generator: torch.Generator,
    *,
    temperature: float = 1.0,
    noise: bool = False,
    quiet: bool = False,
) -> np.ndarray:
    """n uint8 samples, (n, C, H, W), with the noise of q(x|z) or without it, as in the paper.

    Latents are drawn batch by batch, since z of all may be larger than the images. Noise has draws of its own, so that
    the latents are the same without it.
    """
    sizes = [min(BATCH, n - start) for start in range(0, n, BATCH)]
    batches = (temperature * latents(model, size, generator) for size in sizes)
    grain = torch.Generator(generator.device).manual_seed(generator.initial_seed() ^ 1)

    def noisy(z: Tensor) -> Tensor:
        mean = model.decode(z)
        sigma = model.log_sigma2.exp().reshape(-1, 1, 1)  # one for the image, or one for each channel
        return mean + sigma * torch.randn(mean.shape, generator=grain, device=grain.device).to(mean.device)

    return decode_batches(model, noisy if noise else model.decode, batches, n, quiet)


def decode(model: Model, z: Tensor, quiet: bool = False) -> np.ndarray:
    """The uint8 images of latents, as `decode_batches` makes them: (N, d) → (N, C, H, W)."""
    return decode_batches(model, model.decode, z.split(BATCH), len(z), quiet)


@torch.no_grad()
def decode_batches(
    model: Model, to_images: Callable[[Tensor], Tensor], batches: Iterable[Tensor], n: int, quiet: bool
) -> np.ndarray:
    """The uint8 images of n latents, which come in batches: (n, C, H, W).

    `to_images` is the model's `decode` for latents z, (≤ BATCH, d), or its `decoder` for v, (≤ BATCH, *noise_shape).

    An image that is not finite becomes black, and a message on standard error says how many there are.
    """
    device = next(model.parameters()).device
    model.eval()
    images, not_finite = [], torch.zeros((), dtype=torch.long, device=device)
    parts = -(-n // BATCH)
    for part in progress(batches, total=parts, desc="sampling", unit="batch", disable=quiet or parts == 1):
        x = to_images(part.to(device))
        not_finite += x.isfinite().flatten(1).all(1).logical_not().sum()
        images.append(quantise(x.nan_to_num(nan=-1.0, posinf=-1.0, neginf=-1.0), model.bits).cpu().numpy())
    if not_finite:
        message = f"fvae: {int(not_finite)} of {n} samples are not finite numbers and were made black; "
        advice = "train longer, or with a lower learning_rate"
        tqdm.write(message + advice, file=sys.stderr)
    return np.concatenate(images)
