"""What a trained model does with images and latents, beside the pipeline's own functions."""

import numpy as np
import pytest
import torch

from fvae.errors import UserError
from fvae.evaluation.likelihood import image_bits
from fvae.evaluation.sampling import generate
from fvae.library import to_pil
from fvae.library.trained_model import exact_arithmetic
from fvae.params import load

SIZE = 32
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 3, SIZE, SIZE), dtype=np.uint8)


def nearly(a, b):
    """Whether images differ by no more than rounding does: batches of another size are computed in another order."""
    return np.abs(a.astype(int) - b).max() <= 1


def test_samples_are_those_of_the_pipeline(trained):
    settings = load("params.yaml").experiment("demo").sampling
    settings = settings.model_copy(
        update={"random": settings.random.model_copy(update={"images": 250, "draws": 1, "temperature": 0.7})}
    )
    (expected,) = generate(trained.model, "random", settings, IMAGES, seed=3)
    found = trained.sample(3, temperature=0.7, seed=3)
    assert found.dtype == np.uint8
    assert nearly(found, expected[:3])
    assert not np.array_equal(found, trained.sample(3, temperature=0.7, seed=4))
    assert nearly(found[:1], trained.sample(1, temperature=0.7, seed=3))
    still = trained.sample(2, temperature=0)
    assert np.array_equal(still[0], still[1])


def test_latents_are_those_of_the_model(trained):
    z = trained.encode(IMAGES)
    assert z.dtype == np.float32
    assert z.shape == (4, trained.latent_dims)
    x = (torch.from_numpy(IMAGES) + 0.5) / 128 - 1
    with torch.no_grad():
        assert np.allclose(z, trained.model.encode(x), atol=1e-5)
        expected = trained.model.decode(torch.from_numpy(z))
    assert nearly(trained.decode(z), ((expected + 1) * 128).floor().clamp(0, 255).numpy())
    assert nearly(trained.reconstruct(IMAGES), trained.decode(z))
    assert nearly(trained.decode(torch.from_numpy(z[0]))[0], trained.decode(z.tolist())[0])
    if trained.spec.kind == "flow":
        assert nearly(trained.reconstruct(IMAGES), IMAGES)


def test_interpolations_are_straight_lines(trained):
    found = trained.interpolate(IMAGES[0], to_pil(IMAGES[1])[0], 5)
    z = trained.encode(IMAGES[:2])
    expected = trained.decode(np.linspace(z[0], z[1], 5))
    assert found.shape == (5, 3, SIZE, SIZE)
    assert nearly(found, expected)


def test_bits_per_dim_are_those_of_the_evaluation(trained):
    found = trained.bits_per_dim(IMAGES, importance_samples=3, seed=2)
    expected = image_bits(trained.model, IMAGES, importance_samples=3, seed=2)
    assert found.shape == (4,)
    assert np.array_equal(found, expected.iwae)
    assert np.array_equal(found, expected.elbo) == trained.model.exact
    assert not np.array_equal(found, trained.bits_per_dim(IMAGES, importance_samples=3, seed=1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.sample(0), "n: 0 is not a whole number of at least 1"),
        (lambda model: model.sample(2.0), r"n: 2\.0 is not a whole number"),
        (lambda model: model.sample(2, temperature=-1), "temperature: -1 is not a number of at least 0"),
        (lambda model: model.sample(2, temperature=float("nan")), "temperature: nan is not a number"),
        (lambda model: model.sample(2, seed=-1), "seed: -1 is not a whole number of at least 0"),
        (lambda model: model.encode(IMAGES / 255), "images: uint8"),
        (lambda model: model.decode(np.zeros((2, 5))), r"z: \(n, 3072\) is needed, not \(2, 5\)"),
        (lambda model: model.decode("z"), r"z: numbers of shape \(n, 3072\) are needed"),
        (lambda model: model.interpolate(IMAGES[0], IMAGES[1], 1), "steps: 1 is not a whole number of at least 2"),
        (lambda model: model.interpolate(IMAGES, IMAGES[1], 3), "interpolate: one image is needed at each end"),
        (lambda model: model.bits_per_dim(IMAGES, 0), "importance_samples: 0 is not a whole number of at least 1"),
    ],
)
@pytest.mark.parametrize("trained", ["fvae"], indirect=True)
def test_bad_input_is_one_clear_line(trained, call, message):
    with pytest.raises(UserError, match=message) as error:
        call(trained)
    assert "\n" not in str(error.value)


def test_the_arithmetic_of_gpus_is_exact_for_the_time_of_a_call():
    def settings():
        cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
        return cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32

    before = settings()
    exact = (True, False, False, False)
    with exact_arithmetic():
        assert settings() == exact
        with exact_arithmetic():  # as in a process that trains too
            assert settings() == exact
        assert settings() == exact
    assert settings() == before
