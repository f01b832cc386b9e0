"""benchmarks/gpu.py: it refuses without a GPU, and its parts run on a CPU with a tiny model."""

import pytest
import torch
import typer
from family import SPECS

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def gpu(script):
    """The script as a module."""
    return script("gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_it_measures_nothing(gpu, tmp_path, capsys):
    with pytest.raises(typer.Exit) as ended:
        gpu.main(folder=tmp_path)
    assert ended.value.exit_code == 1
    assert capsys.readouterr() == ("", "benchmarks/gpu.py: no GPU here; nothing was measured\n")
    assert not list(tmp_path.iterdir())


def test_a_step_and_samples_of_a_tiny_model(gpu):
    found = gpu.training(SPECS["fvae"], 8, "32-true", CPU, batch=4)
    assert found["low"] <= found["images_per_second"] <= found["high"]
    assert found["hours_of_4.8M_images"] == pytest.approx(4.8e6 / found["images_per_second"] / 3600)
    assert gpu.sampling(SPECS["glow"], 8, CPU, images=4)["images_per_second"] > 0


def test_the_same_bits_are_told_from_others(gpu, monkeypatch):
    assert gpu.determinism(SPECS["vae"], 8, "32-true", CPU, steps=1)["same_bits"]
    monkeypatch.setattr(gpu, "seed_everything", lambda *_: None)
    assert not gpu.determinism(SPECS["vae"], 8, "32-true", CPU, steps=1)["same_bits"]


def test_tf32_is_told_from_float32(gpu, monkeypatch):
    assert gpu.tf32(CPU)["off"]
    real = torch.conv2d

    def rounded(x, kernel):
        return real(x.bfloat16(), kernel.bfloat16()).float() if x.dtype == torch.float32 else real(x, kernel)

    monkeypatch.setattr(torch, "conv2d", rounded)
    assert not gpu.tf32(CPU)["off"]


def test_a_part_that_fails_or_takes_too_long_is_named_as_such(gpu):
    def fails(left):
        raise ValueError("no\nmore")

    def lasts(left):
        while True:
            pass

    assert gpu.measured(fails, 5.0) == {"failed": "ValueError: no"}
    assert gpu.measured(lasts, 0.05) == {"cut_off_after_seconds": 0.05}
    assert gpu.measured(lambda left: {"left": left}, 5.0) == {"left": 5.0}


def test_every_part_has_a_name_of_its_own(gpu):
    slow = {f"training celeba64 {model} bf16 eager": {"busy": 0.5} for model in gpu.MODELS}
    names = [name for name, _ in gpu.parts(CPU, slow)]
    assert len(set(names)) == len(names)
    assert sum(name.endswith("graphs") for name in names) == 3
    assert sum(name.endswith(("eager", "compile")) for name in names) == 24
