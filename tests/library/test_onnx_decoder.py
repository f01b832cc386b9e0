"""G∘F⁻¹ as ONNX, computed by onnxruntime on the CPU, beside PyTorch."""

import numpy as np
import onnxruntime
import pytest
import torch
from family import SPECS, perturbed

from fvae.errors import UserError
from fvae.flows.mixing import InvertibleConv1x1
from fvae.library import onnx_decoder
from fvae.library.onnx_decoder import FixedConv1x1, export_decoder, largest_difference
from fvae.models.build import build
from fvae.training.machine import use_exact_arithmetic

SIZE = 8


def model(name):
    torch.manual_seed(0)
    return perturbed(build(SPECS[name], SIZE), scale=0.05).float()


@pytest.mark.parametrize("name", ["vae_dense", "realnvp", "fvae_reduced"])
def test_onnxruntime_computes_what_pytorch_does(tmp_path, name):
    net = model(name)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    export_decoder(net, tmp_path / "decoder.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["decoder.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "decoder.onnx", providers=["CPUExecutionProvider"])
    for n in (1, 7):
        z = torch.randn(n, net.latent_dims)
        (found,) = session.run(["image"], {"z": z.numpy()})
        with torch.no_grad():
            assert np.allclose(found, net.decode(z), rtol=0, atol=1e-4)
    for key, value in net.state_dict().items():  # the model itself stays as it was
        assert torch.equal(value, before[key])


def test_a_process_that_trained_can_export(tmp_path):
    use_exact_arithmetic()
    export_decoder(model("vae_dense"), tmp_path / "decoder.onnx")
    assert (tmp_path / "decoder.onnx").exists()


def test_another_model_is_noticed(tmp_path):
    net = model("vae_dense")
    export_decoder(net, tmp_path / "decoder.onnx")
    with torch.no_grad():
        net.decoder.first.weight.mul_(1.01)
    assert largest_difference(net, tmp_path / "decoder.onnx") > onnx_decoder.TOLERANCE


def test_a_difference_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_decoder, "largest_difference", lambda net, path: float("nan"))
    with pytest.raises(UserError, match=r"decoder.onnx: would differ from PyTorch by nan, more than 1e-04"):
        export_decoder(model("vae_dense"), tmp_path / "decoder.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_inverse_of_a_convolution_is_fixed():
    torch.manual_seed(0)
    layer = InvertibleConv1x1(6)
    with torch.no_grad():
        layer.lu += 0.1 * torch.randn(6, 6)
        x = torch.randn(2, 6, 4, 4)
        y, _ = layer(x)
        assert torch.allclose(FixedConv1x1(layer).inverse(y), x, atol=1e-5)


def test_what_cannot_be_exported_is_told(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="--onnx: an autoregressive flow is inverted one dimension after the other"):
        export_decoder(model("fvae_autoregressive"), tmp_path / "decoder.onnx")
    monkeypatch.setattr(onnx_decoder, "PACKAGES", ("onnx", "no_such_package"))
    with pytest.raises(UserError, match="--onnx: no_such_package must be installed"):
        export_decoder(model("vae_dense"), tmp_path / "decoder.onnx")
    assert list(tmp_path.iterdir()) == []
