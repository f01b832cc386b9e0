"""Speed and memory of training and sampling beside normflows', and of the paper's f-VAE beside a bare convolution.

    PYTHONPATH=. python benchmarks/run.py [all --images ZIP]

prints each ratio with its spread over rounds, and writes benchmarks/results/DEVICE.json. All that is compared is timed
in turn in one process; peak memory is that of a process of its own. The paper's models train on the images of a zip
where one is given, the others on uniform pixels, which are as fast.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import torch
import typer
from peer import LEVELS, SIZE, WIDTH, Peer
from PIL import Image, ImageOps
from records import described, in_turn, ratio, write
from torch import nn

from fvae.memory import keep_freed_memory
from fvae.models.build import build, describe
from fvae.models.match import resolve_one
from fvae.params import FlowSpec, load
from fvae.training.batches import Batches
from fvae.training.machine import default_device, peak_memory, use_exact_arithmetic
from fvae.training.processes import start_processes
from fvae.training.trainer import build_trainer

DEVICE = default_device()
BF16 = DEVICE.type == "cuda" or any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))
PRECISIONS = {"float32": "32-true", **({"bfloat16": "bf16-mixed"} if BF16 else {})}  # where there is arithmetic in it


def glow(steps: int) -> nn.Module:
    """Our Glow of the peer's size."""
    flow = FlowSpec(levels=LEVELS, steps=steps, width=WIDTH, coupling="affine", mixing="conv1x1", actnorm=True)
    spec = load().experiments["demo"].models["glow"].model_copy(update={"flow": flow})
    return build(spec, SIZE)


def on_device(model: nn.Module, channels_last: bool = True) -> nn.Module:
    """As our training does it, in channels_last; normflows' own examples leave the memory format alone."""
    model = model.train().to(DEVICE)
    return model.to(memory_format=torch.channels_last) if channels_last else model


def pictures(archive: Path | None, size: int, most: int = 2000) -> np.ndarray:
    """uint8 images, (N, 3, size, size): the first of a zip, or uniform pixels."""
    if archive is None:
        return np.random.default_rng(0).integers(0, 256, (256, 3, size, size), dtype=np.uint8)
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.lower().endswith((".jpg", ".jpeg", ".png"))][:most]
        fitted = [ImageOps.fit(Image.open(opened.open(name)).convert("RGB"), (size, size)) for name in names]
    return np.stack([np.asarray(image).transpose(2, 0, 1) for image in fitted])


def trainer(
    model: nn.Module, batch: int, precision: str = "float32", images: np.ndarray | None = None, **changes: Any
) -> Callable[[], None]:
    """One whole step of our training: a batch made on the device, gradients clipped, Adam, the moving average."""
    plain = {"batch_size": batch, "channels_last": True, "compile": False, "reversible": False, "devices": 1}
    how = plain | {"precision": PRECISIONS[precision]} | changes
    settings = load().experiments["demo"].training.model_copy(update=how)
    trained = build_trainer(start_processes(settings), model, settings)
    images = pictures(None, model.shape[-1]) if images is None else images
    batches = Batches(images, model, batch_size=batch, flip=True, seed=0, device=trained.device)
    trained.initialise(*batches.first(batch))
    steps = count()
    return lambda: trained.train_step(*batches(next(steps)), 1e-5)


def say(name: str, result: dict[str, float], unit: str = "×") -> None:
    """A line a result."""
    print(f"{name}: {result['ratio']:.2f} {unit} ({result['low']:.2f} to {result['high']:.2f})", flush=True)


def training(batch: int) -> dict[str, Any]:
    """A step of Glow, 3 levels × 10 steps: ours in both precisions against normflows in float32 and in bfloat16."""
    runs = {
        "ours": trainer(glow(10), batch),
        **({"ours bf16": trainer(glow(10), batch, "bfloat16")} if BF16 else {}),
        "normflows": trainer(Peer(10), batch, channels_last=False),
        "normflows channels_last": trainer(Peer(10), batch),
    }
    return compared(f"training, batch {batch}", in_turn(runs, DEVICE), batch)


def sampling(images: int = 64) -> dict[str, Any]:
    """Images of the same Glow."""
    ours, plain, theirs = on_device(glow(10)), on_device(Peer(10), channels_last=False), on_device(Peer(10))
    z = torch.randn(images, 3 * SIZE * SIZE, device=DEVICE)

    def in_bf16() -> None:
        with torch.autocast(DEVICE.type, torch.bfloat16):
            ours.decode(z)

    with torch.no_grad():
        for peer in (plain, theirs):
            peer(torch.rand(8, 3, SIZE, SIZE, device=DEVICE), None)  # its actnorms start from a first batch
            peer.eval()
        ours.eval()
        runs = {
            "ours": lambda: ours.decode(z),
            **({"ours bf16": in_bf16} if BF16 else {}),
            "normflows": lambda: plain.sample(images),
            "normflows channels_last": lambda: theirs.sample(images),
        }
        return compared(f"sampling {images} images", in_turn(runs, DEVICE), images)


def compared(name: str, times: dict[str, list[float]], images: int) -> dict[str, Any]:
    """Images/s of each, and ours in both precisions against normflows in float32, in both memory formats."""
    result: dict[str, Any] = {"images_per_second": {who: images / median(values) for who, values in times.items()}}
    for ours in (who for who in times if who.startswith("ours")):
        for theirs in ("normflows", "normflows channels_last"):
            result[f"{ours} / {theirs}"] = ratio(times, ours, theirs)
            say(f"{name}: {ours} / {theirs}", result[f"{ours} / {theirs}"])
    return result


def memory() -> dict[str, Any]:
    """Peak memory of a step at 3 × 32 steps, batch 8: each in a process of its own, less an empty process's."""
    peaks = {}
    for name in ("nothing", "normflows", "ours", "reversible"):
        command = [sys.executable, __file__, "peak", name]
        peaks[name] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    result = {name: peaks[name] - peaks["nothing"] for name in ("normflows", "ours", "reversible")}
    for name in ("ours", "reversible"):
        share = result[name] / result["normflows"]
        print(f"peak memory of a step, {name} / normflows: {share:.2f} of {result['normflows'] / 2**30:.2f} GiB")
    return {**result, "share_reversible": result["reversible"] / result["normflows"]}


def convolution(precision: str, batch: int = 32, channels: int = 256, side: int = 32) -> Callable[[], None]:
    """A bare 3×3 convolution, forward and backward."""
    conv = on_device(nn.Conv2d(channels, channels, 3, padding=1))
    x = torch.randn(batch, channels, side, side, device=DEVICE).contiguous(memory_format=torch.channels_last)
    x.requires_grad_()

    def run() -> None:
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == "bfloat16"):
            conv(x).sum().backward()

    run.flops = 3 * 2 * batch * side**2 * 9 * channels**2
    return run


def paper(experiment: str, model: str, precision: str, archive: Path | None, batch: int = 32) -> dict[str, Any]:
    """A model of the paper: images/s, hours of 4.8 M images, and the share of a bare convolution's arithmetic."""
    chosen = load().experiments[experiment]
    spec = resolve_one(chosen, model)
    conv, images = convolution(precision), pictures(archive, chosen.data.size)
    times = in_turn(
        {"model": trainer(build(spec, chosen.data.size), batch, precision, images), "convolution": conv}, DEVICE
    )
    flops = 3 * 2 * batch * describe(spec, chosen.data.size)["macs"]
    shares = [(flops / a) / (conv.flops / b) for a, b in zip(times["model"], times["convolution"], strict=True)]
    rate = batch / median(times["model"])
    share = {"ratio": median(shares), "low": min(shares), "high": max(shares)}
    say(f"{experiment}'s {model}, {precision}: {rate:.2f} images/s, of a bare convolution's arithmetic", share, "of it")
    return {"images_per_second": rate, "hours_of_4.8M_images": 4.8e6 / rate / 3600, "share_of_convolution": share}


def profile(experiment: str, precision: str, batch: int = 32, most: int = 8) -> dict[str, float]:
    """The operations in which a step of the paper's f-VAE spends its time, as shares of all."""
    chosen = load().experiments[experiment]
    step = trainer(build(chosen.models["fvae"], chosen.data.size), batch, precision)
    step()
    with torch.profiler.profile() as profiler:
        step()
    field = "self_device_time_total" if DEVICE.type == "cuda" else "self_cpu_time_total"
    times = {row.key: getattr(row, field) for row in profiler.key_averages()}
    total = sum(times.values())
    shares = {name: times[name] / total for name in sorted(times, key=times.__getitem__, reverse=True)[:most]}
    print(f"{experiment}'s f-VAE, {precision}: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    return shares


CHOICES: dict[str, dict[str, Any]] = {
    **({"bf16": {"precision": "bfloat16"}} if BF16 else {}),
    **({} if DEVICE.type == "cuda" else {"compile": {"compile": True}}),  # minutes of the eight that a GPU has
    **({"bf16 and compile": {"precision": "bfloat16", "compile": True}} if BF16 else {}),
    "no channels_last": {"channels_last": False},
    "reversible": {"reversible": True},
}


def choices(experiment: str, batch: int = 32) -> dict[str, Any]:
    """The f-VAE's step with the parameters' choices for speed or memory, each against float32 and channels_last."""
    chosen = load().experiments[experiment]
    runs = {
        name: trainer(build(chosen.models["fvae"], chosen.data.size), batch, **change)
        for name, change in {"plain": {}, **CHOICES}.items()
    }
    times, result = in_turn(runs, DEVICE), {}
    for name in CHOICES:
        result[name] = ratio(times, name, "plain")
        say(f"{experiment}'s f-VAE, {name} / float32", result[name])
    return result


app = typer.Typer(add_completion=False)


@app.command()
def peak(name: str) -> None:
    """Peak memory in bytes of a process that makes two training steps of a model."""
    if name == "nothing":
        on_device(nn.Conv2d(3, 3, 3))(torch.zeros(1, 3, 8, 8, device=DEVICE)).sum().backward()
    else:
        ours = name != "normflows"
        step = trainer(glow(32) if ours else Peer(32), 8, channels_last=ours, reversible=name == "reversible")
        step()
        step()
    print(peak_memory(DEVICE))


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Everything, where no command says what."""
    use_exact_arithmetic()
    torch.set_num_threads(1)  # as trainings do
    if context.invoked_subcommand is None:
        all()


@app.command()
def all(
    images: Annotated[Path | None, typer.Option(help="A zip of images to train the paper's models on.")] = None,
) -> None:
    """Every benchmark, and the JSON."""
    gpu = DEVICE.type == "cuda"
    beside_normflows = {
        "training_batch_8": training(8),
        "training_batch_16": training(16),
        "sampling": sampling(),
        "memory": memory(),
    }
    keep_freed_memory()  # as the program does. normflows does not, and in this process it would gain by it
    found = {
        **described(DEVICE),
        "images": images.name if images else "uniform pixels",
        **beside_normflows,
        **{
            f"{experiment}_{precision}": paper(experiment, "fvae", precision, images)
            for experiment in ("demo", "celeba64", "celeba128")
            for precision in PRECISIONS
        },
        **({"celeba64_glow_bfloat16": paper("celeba64", "glow", "bfloat16", images)} if gpu else {}),
        **{
            f"profile_{experiment}_{precision}": profile(experiment, precision)
            for experiment in ("demo", "celeba64", "celeba128")
            for precision in PRECISIONS
        },
        **{f"choices_{experiment}": choices(experiment) for experiment in ("celeba64", "demo")[: 1 if gpu else 2]},
    }
    write("", DEVICE, found)


if __name__ == "__main__":
    app()
