"""The decoder G∘F⁻¹ of a model as ONNX, for programs without PyTorch."""

from __future__ import annotations

import copy
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fvae.errors import UserError
from fvae.files import write
from fvae.flows.autoregressive import AutoregressiveFlow
from fvae.flows.layer import Layer
from fvae.flows.mixing import InvertibleConv1x1
from fvae.models.base import Model
from fvae.seeding import torch_generator

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
TOLERANCE = 1e-4  # of x in [-1, 1]: an eightieth of an 8-bit level
COMPARED = 5  # images; another number than the export is traced with


class FixedConv1x1(Layer):
    """The inverse of an InvertibleConv1x1 as a convolution with W⁻¹, since ONNX solves no triangular systems."""

    back: Tensor

    @torch.no_grad()
    def __init__(self, layer: InvertibleConv1x1) -> None:
        super().__init__()
        channels = len(layer.lu)
        identity = torch.eye(channels, device=layer.lu.device)[:, :, None, None]
        self.register_buffer("back", layer.inverse(identity)[:, :, 0, 0].T[:, :, None, None].contiguous())

    def inverse(self, y: Tensor) -> Tensor:
        return F.conv2d(y, self.back)


class Decoder(nn.Module):
    """z → x, equation (19), of a copy of a model: (N, d) → (N, 3, H, W) around [-1, 1]."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).cpu().eval()
        for parent in list(self.model.modules()):
            for name, child in parent.named_children():
                if isinstance(child, InvertibleConv1x1):
                    setattr(parent, name, FixedConv1x1(child))

    def forward(self, z: Tensor) -> Tensor:
        return self.model.decode(z)


def export_decoder(model: Model, path: Path) -> None:
    """Write decoder.onnx, with the input `z`, float32 (n, d) for any n, and the output `image`, (n, 3, H, W).

    What onnxruntime computes on the CPU is compared with PyTorch before. Raises UserError where they differ by more
    than TOLERANCE, where packages are missing, and for an autoregressive flow, whose inverse has a step per dimension.
    """
    if any(isinstance(module, AutoregressiveFlow) for module in model.modules()):
        raise UserError("--onnx: an autoregressive flow is inverted one dimension after the other; export it without")
    _check_packages()
    decoder = Decoder(model).requires_grad_(False)
    example = torch.zeros(2, model.latent_dims)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch about itself
        program = torch.onnx.export(
            decoder,
            (example,),
            input_names=["z"],
            output_names=["image"],
            dynamic_shapes={"z": {0: torch.export.Dim("n")}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None

    def save(partial: Path) -> None:
        program.save(partial, external_data=False)
        difference = largest_difference(model, partial)
        if not difference <= TOLERANCE:
            raise UserError(f"{path}: would differ from PyTorch by {difference:.1e}, more than {TOLERANCE:.0e}")

    write(path, save)


@torch.no_grad()
def largest_difference(model: Model, path: Path) -> float:
    """Between the images of random z by onnxruntime on the CPU and by the model itself; relative where |x| > 1."""
    import onnxruntime

    z = model.noise(COMPARED, torch_generator(0, "export/onnx")).flatten(1)
    expected = model.decode(z.to(next(model.parameters()).device)).cpu().numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(["image"], {"z": z.numpy()})[0]
    return float((np.abs(found - expected) / np.maximum(1, np.abs(expected))).max())


def _check_packages() -> None:
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UserError(f"--onnx: {', '.join(missing)} must be installed; the extra `export` has all that is needed")
