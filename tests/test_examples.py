"""The scripts of examples/ run, and what they define is right."""

import runpy
import sys
from pathlib import Path

import pytest
import torch

import fvae
from fvae.data.portraits import draw
from fvae.errors import UserError
from fvae.flows.coupling import COUPLINGS
from fvae.library import to_pil

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
TINY = ["--size", "16", "--images", "40", "--steps", "3"]
MOST_LINES = 60


@pytest.fixture
def run(monkeypatch):
    """A function that runs an example, on one thread: the variables that it leaves."""
    before, threads = dict(COUPLINGS), torch.get_num_threads()
    torch.set_num_threads(1)

    def run_example(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        return runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")

    yield run_example
    torch.set_num_threads(threads)
    COUPLINGS.clear()
    COUPLINGS.update(before)


def test_there_are_three_and_they_are_short():
    assert [path.stem for path in EXAMPLES] == ["new_coupling", "new_posterior", "train_on_a_folder"]
    assert all(len(path.read_text().splitlines()) <= MOST_LINES for path in EXAMPLES)


def test_a_model_is_trained_on_a_folder(run, tmp_path, capsys):
    (tmp_path / "photos/more").mkdir(parents=True)
    for index, picture in enumerate(to_pil(draw(range(9), 24, seed=0))):
        folder = "photos" if index else "photos/more"
        picture.save(tmp_path / folder / f"{index}.{'png' if index % 2 else 'JPG'}", format="PNG")
    found = run(
        "train_on_a_folder",
        *(str(tmp_path / "photos"), "--to", str(tmp_path / "model"), "--size", "16", "--steps", "3", "--batch", "4"),
    )
    assert "9 images" in capsys.readouterr().out
    assert found["loss"].isfinite()
    trained = fvae.load(tmp_path / "model", "cpu")
    assert trained.sample(2).shape == (2, 3, 16, 16)
    assert (tmp_path / "model/sample.png").exists()


def test_a_folder_that_cannot_be_trained_on_is_told(run, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    arguments = [str(tmp_path / "photos"), "--to", str(tmp_path / "model"), "--size", "24"]
    with pytest.raises(SystemExit):
        run("train_on_a_folder", *arguments)
    assert "photos: there are no JPEG or PNG files in it" in capsys.readouterr().err
    to_pil(draw([0], 16, seed=0))[0].save(tmp_path / "photos/small.png")
    with pytest.raises(UserError, match=r"photos/small\.png: a PIL image of 16×16: the crop of 16 pixels is smaller"):
        run("train_on_a_folder", *arguments)


def test_a_new_coupling_is_invertible_and_its_determinant_right(run, capsys):
    found = run("new_coupling", *TINY)
    printed = capsys.readouterr().out
    assert "affine: " in printed
    assert "two_piece: " in printed
    assert "nan" not in printed
    torch.manual_seed(1)
    coupling = found["TwoPieceCoupling"](4, 8).double()
    for parameter in coupling.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(3, 4, 2, 2, dtype=torch.float64)
    y, logdet = coupling(x)
    assert torch.allclose(coupling.inverse(y), x)
    assert (y - x).abs().max() > 0.1
    for image, expected in zip(x, logdet, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda one: coupling(one[None])[0].flatten(), image)
        assert torch.allclose(torch.linalg.slogdet(jacobian.reshape(16, 16)).logabsdet, expected)


def test_a_new_posterior_has_the_right_determinant(run, capsys):
    found = run("new_posterior", *TINY)
    printed = capsys.readouterr().out
    assert "VAE: ≤ " in printed
    assert "HouseholderVAE: ≤ " in printed
    assert "nan" not in printed
    model, x = found["model"].double().eval(), found["x"].double()[:1]
    torch.manual_seed(1)
    for parameter in model.vectors.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    u = torch.randn(1, *model.noise_shape, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda noise: model.posterior(x, noise).z[0], u).flatten(1)
    assert torch.allclose(torch.linalg.slogdet(jacobian).logabsdet, model.posterior(x, u).logdet[0])
    off_diagonal = jacobian - jacobian.diagonal().diag()
    assert off_diagonal.abs().max() > 0.01 * jacobian.abs().max()  # a plain VAE's is diagonal
