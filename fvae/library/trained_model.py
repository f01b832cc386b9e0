"""A trained model behind functions of images: what `fvae.load` gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from fvae.errors import UserError
from fvae.evaluation import sampling
from fvae.evaluation.likelihood import image_bits
from fvae.evaluation.sampling import BATCH
from fvae.library.images import ImagesLike, OneImage, as_array
from fvae.models.base import Model
from fvae.params import ModelSpec
from fvae.seeding import torch_generator
from fvae.training.machine import use_exact_arithmetic


class TrainedModel:
    """A model with its trained weights, for RGB images of `image_size` × `image_size` pixels, `bits` a channel.

    Images go in as `fvae.library.images.as_array` takes them: uint8 arrays (n, 3, H, W) or (3, H, W), PIL images, or
    lists of these. They come out as uint8 arrays (n, 3, H, W). A latent z is a float32 array (d,), which under the
    model's prior is N(0, I). All raise UserError for images or latents of another form.
    """

    def __init__(self, model: Model, spec: ModelSpec) -> None:
        self.model = model.eval()
        self.spec = spec
        self.image_size = model.shape[-1]
        self.bits = model.bits

    @property
    def latent_dims(self) -> int:
        """d, the numbers in a latent."""
        return self.model.latent_dims

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    def sample(self, n: int, temperature: float = 1.0, seed: int = 0) -> np.ndarray:
        """n images of z ∼ N(0, T² I), equation (19): uint8 (n, 3, H, W).

        Fewer images of the same seed and temperature are the first ones of more. Up to rounding they are the first draw
        of `python -m fvae sample random`, if `sampling.random.decoder_noise` is false and `sampling.batch_norm` is
        `stored`.
        Raises UserError for n < 1, a seed < 0, or a temperature that is negative or not finite.
        """
        _check_count("n", n, 1)
        _check_count("seed", seed, 0)
        if not 0 <= temperature < float("inf"):
            raise UserError(f"temperature: {temperature} is not a number of at least 0")
        generator = torch_generator(seed, "sample", "random", 0)
        # Whole batches are drawn, since the last numbers of a draw depend on how many there are.
        latents = (
            temperature * sampling.latents(self.model, BATCH, generator)[: n - start] for start in range(0, n, BATCH)
        )
        with exact_arithmetic():
            return sampling.decode_batches(self.model, self.model.decode, latents, n, quiet=True)

    def encode(self, images: ImagesLike) -> np.ndarray:
        """The latents of images without noise, F_x(0): float32 (n, d)."""
        with exact_arithmetic():
            return sampling.encode(self.model, self._array(images)).numpy()

    def decode(self, z: ArrayLike | Tensor) -> np.ndarray:
        """The images of latents (n, d) or (d,): uint8 (n, 3, H, W)."""
        with exact_arithmetic():
            return sampling.decode(self.model, self._latents(z), quiet=True)

    def reconstruct(self, images: ImagesLike) -> np.ndarray:
        """What is decoded from the noise-free latents of images: uint8 (n, 3, H, W)."""
        return self.decode(self.encode(images))

    def interpolate(self, a: OneImage, b: OneImage, steps: int) -> np.ndarray:
        """The images along the straight line between the latents of two images, both ends included.

        uint8 (steps, 3, H, W), steps ≥ 2.
        """
        _check_count("steps", steps, 2)
        first, last = (self.encode(image) for image in (a, b))
        if len(first) != 1 or len(last) != 1:
            raise UserError("interpolate: one image is needed at each end")
        t = torch.linspace(0, 1, steps)[:, None]
        return self.decode(sampling.lerp(torch.from_numpy(first), torch.from_numpy(last), t))

    def bits_per_dim(self, images: ImagesLike, importance_samples: int = 1, seed: int = 0) -> np.ndarray:
        """Bits/dim of each image, dequantised: float (n,).

        They are exact for a flow. Otherwise they are the importance-weighted upper bound of Burda et al. 2016 with K
        samples u, which for K = 1 is an estimate of the negative ELBO, equation (6).
        """
        _check_count("importance_samples", importance_samples, 1)
        _check_count("seed", seed, 0)
        array = self._array(images)
        with exact_arithmetic():
            found = image_bits(self.model, array, importance_samples=importance_samples, seed=seed, quiet=True)
        return found.iwae

    def _array(self, images: ImagesLike) -> np.ndarray:
        return as_array(images, self.image_size, self.bits)

    def _latents(self, z: ArrayLike | Tensor) -> Tensor:
        """float32 (n, d) on the CPU."""
        try:
            found = torch.as_tensor(z, dtype=torch.float32, device="cpu").detach()
        except (TypeError, ValueError, RuntimeError) as error:
            raise UserError(f"z: numbers of shape (n, {self.latent_dims}) are needed") from error
        found = found[None] if found.ndim == 1 else found
        if found.ndim != 2 or found.shape[1] != self.latent_dims or not len(found):
            raise UserError(f"z: (n, {self.latent_dims}) is needed, not {tuple(found.shape)}")
        return found


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """In this context GPUs compute in float32 and give the same bits every time, as flows need that are inverted."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    flags = cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32
    use_exact_arithmetic()
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = flags


def _check_count(name: str, value: int, least: int) -> None:
    if not isinstance(value, int | np.integer) or value < least:
        raise UserError(f"{name}: {value!r} is not a whole number of at least {least}")
