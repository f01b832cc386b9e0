"""All that only a GPU can tell, in one command of at most eight minutes.

    PYTHONPATH=. python benchmarks/gpu.py [--minutes 8] [--folder benchmarks/results]

runs the tests of tests/gpu, checks that TF32 is off and that a training gives the same bits again, and measures
training steps and sampling of the paper's models. It writes gpu-DEVICE.json after each part, so that a run which is cut
off loses nothing. Parts for which there is no time are skipped and named. Another run of the same commit on the same
machine goes on with what is missing.
"""

from __future__ import annotations

import gc
import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from unittest.mock import patch

import numpy as np
import torch
import typer
from lightning_fabric import Fabric
from records import RESULTS, described, in_turn, path, wait, write

from fvae.evaluation.sampling import sample
from fvae.models.base import Model
from fvae.models.build import build
from fvae.models.match import resolve_one
from fvae.params import ModelSpec, Training, load
from fvae.seeding import seed_everything
from fvae.training.batches import Batches
from fvae.training.machine import peak_memory, use_exact_arithmetic
from fvae.training.trainer import Trainer, build_trainer

ROOT = Path(__file__).parents[1]
EXPERIMENTS, MODELS, BATCH = ("celeba64", "celeba128"), ("fvae", "glow", "vae"), 32
PRECISIONS = {"float32": "32-true", "bf16": "bf16-mixed"}
BUSY = 0.8  # share of a step in which a GPU computes, below which the step is bound by the launches of its kernels
TF32 = 1e-5  # relative error of a product of matrices that float32 stays below and TF32 does not

Result = dict[str, Any]


class OutOfTime(BaseException):
    """The time is over in the middle of a part."""


@cache
def model_of(experiment: str, model: str) -> tuple[ModelSpec, int]:
    """A model of params.yaml with its matched size, and the size of its images."""
    chosen = load(ROOT / "params.yaml").experiment(experiment)
    return resolve_one(chosen, model), chosen.data.size


def training_step(
    model: Model, device: torch.device, *, batch: int = BATCH, precision: str = "32-true", compile: bool = False
) -> tuple[Trainer, Callable[[], Any]]:
    """A trainer, and one whole step of it: a batch made on the device, clipping, Adam, the average of the weights."""
    use_exact_arithmetic()
    how = {"batch_size": batch, "precision": precision, "compile": compile, "devices": 1, "reversible": False}
    settings: Training = load(ROOT / "params.yaml").experiment("demo").training.model_copy(update=how)
    trainer = build_trainer(Fabric(accelerator=device.type, devices=1), model, settings)
    images = np.random.default_rng(0).integers(0, 256, (256, *model.shape), dtype=np.uint8)
    batches = Batches(images, model, batch_size=batch, flip=True, seed=0, device=device)
    trainer.initialise(*batches.first(batch))
    steps = count()
    return trainer, lambda: trainer.train_step(*batches(next(steps)), 1e-5)


def tests(seconds: float) -> Result:
    """`pytest tests/gpu`, for so many seconds at most: how many tests passed, failed and were skipped."""
    command = [sys.executable, "-m", "pytest", "tests/gpu", "-vv", "-p", "no:cacheprovider"]
    timed_out = False
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds)
        said = done.stdout + done.stderr
    except subprocess.TimeoutExpired as error:
        timed_out, said = True, (error.stdout or b"").decode()
    outcomes = re.findall(r"^(tests/gpu\S+) (PASSED|FAILED|SKIPPED|ERROR)", said, re.M)
    counts = {name: sum(outcome == name.upper() for _, outcome in outcomes) for name in ("passed", "skipped", "error")}
    failed = [test for test, outcome in outcomes if outcome == "FAILED"]
    return {**counts, "failed": failed, "timed_out": timed_out, **({} if outcomes else {"output": said[-500:]})}


def tf32(device: torch.device) -> Result:
    """The relative error of a product of matrices and of a convolution in float32."""
    use_exact_arithmetic()
    generator = torch.Generator(device).manual_seed(0)
    a, b = (torch.randn(1024, 1024, device=device, generator=generator) for _ in range(2))
    x = torch.randn(2, 64, 32, 32, device=device, generator=generator)
    kernel = torch.randn(64, 64, 3, 3, device=device, generator=generator)
    pairs = {
        "matrices": (a @ b, a.double() @ b.double()),
        "convolution": (torch.conv2d(x, kernel), torch.conv2d(x.double(), kernel.double())),
    }
    errors = {name: float((found - exact).norm() / exact.norm()) for name, (found, exact) in pairs.items()}
    return {"relative_error": errors, "off": max(errors.values()) < TF32}


def determinism(spec: ModelSpec, size: int, precision: str, device: torch.device, steps: int = 3) -> Result:
    """Whether two trainings of a few steps end with the same bits."""

    def weights() -> str:
        seed_everything(0, "weights")
        trainer, step = training_step(build(spec, size), device, precision=precision)
        for _ in range(steps):
            step()
        digest = hashlib.sha256()
        for tensor in trainer.model.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    return {"steps": steps, "same_bits": weights() == weights()}


def training(
    spec: ModelSpec, size: int, precision: str, device: torch.device, *, how: str = "eager", batch: int = BATCH
) -> Result:
    """A model's step: images/s, peak memory, hours of 4.8 M images, and the share of it in which a GPU computes."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    graphs = (
        patch("torch.compile", partial(torch.compile, mode="reduce-overhead")) if how == "graphs" else nullcontext()
    )
    with graphs:
        _, step = training_step(build(spec, size), device, batch=batch, precision=precision, compile=how != "eager")
    if how == "graphs":
        step = marked(step)
    start = time.perf_counter()
    step()
    wait(device)
    first = time.perf_counter() - start
    seconds = in_turn({"step": step}, device, repeats=5)["step"]
    found = {
        "images_per_second": batch / median(seconds),
        "low": batch / max(seconds),
        "high": batch / min(seconds),
        "hours_of_4.8M_images": 4.8e6 / batch * median(seconds) / 3600,
        "peak_memory": peak_memory(device),
        "seconds_of_first_step": first,
    }
    if device.type == "cuda":
        found |= on_the_gpu(step, median(seconds))
    return found


def marked(step: Callable[[], Any]) -> Callable[[], None]:
    """CUDA graphs reuse the memory of the step before; so they have to be told where one begins."""

    def run() -> None:
        torch.compiler.cudagraph_mark_step_begin()
        step()

    return run


def on_the_gpu(step: Callable[[], Any], seconds: float) -> Result:
    """The share of a step in which the GPU computes, and how many kernels and CUDA graphs the step launches."""
    with torch.profiler.profile() as profiler:
        step()
        torch.cuda.synchronize()
    rows = profiler.key_averages()
    launches = {name: sum(row.count for row in rows if name in row.key) for name in ("LaunchKernel", "GraphLaunch")}
    busy = sum(row.self_device_time_total for row in rows) / 1e6 / seconds
    return {"busy": busy, "kernel_launches": launches["LaunchKernel"], "graph_launches": launches["GraphLaunch"]}


def sampling(spec: ModelSpec, size: int, device: torch.device, images: int = 500) -> Result:
    """Images/s of `python -m fvae sample`, from latents to uint8 images on the CPU."""
    use_exact_arithmetic()
    model = build(spec, size).to(device).eval()
    generator = torch.Generator().manual_seed(0)
    seconds = in_turn({"sample": lambda: sample(model, images, generator, quiet=True)}, device)["sample"]
    return {"images": images, "images_per_second": images / median(seconds)}


def parts(device: torch.device, found: dict[str, Result]) -> Iterator[tuple[str, Callable[[float], Result]]]:
    """Names and functions of all parts, the most important first; each is told how many seconds are left."""
    cases = [(experiment, model, name) for experiment in EXPERIMENTS for name in PRECISIONS for model in MODELS]

    def step(experiment: str, model: str, precision: str, how: str) -> Callable[[float], Result]:
        return lambda left: training(*model_of(experiment, model), PRECISIONS[precision], device, how=how)

    yield "tf32", lambda left: tf32(device)
    yield "tests", lambda left: tests(left / 3)
    for precision in PRECISIONS:
        for model in MODELS:
            yield (
                f"determinism {model} {precision}",
                lambda left, model=model, precision=precision: determinism(
                    *model_of("celeba64", model), PRECISIONS[precision], device
                ),
            )
    for case in cases:
        yield " ".join(("training", *case, "eager")), step(*case, "eager")
    for experiment in EXPERIMENTS:
        for model in MODELS:
            yield (
                f"sampling {experiment} {model}",
                lambda left, experiment=experiment, model=model: sampling(*model_of(experiment, model), device),
            )
    for case in cases:
        yield " ".join(("training", *case, "compile")), step(*case, "compile")
        if found.get(" ".join(("training", *case, "eager")), {}).get("busy", 1.0) < BUSY:
            yield " ".join(("training", *case, "graphs")), step(*case, "graphs")


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the middle of what takes longer."""

    def stop(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def measured(part: Callable[[float], Result], left: float) -> Result:
    """A part's result, or why there is none."""
    try:
        with at_most(left):
            return part(left)
    except OutOfTime:
        return {"cut_off_after_seconds": left}
    except Exception as error:  # the other parts are still worth their time
        return {"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"}
    finally:
        if "torch._dynamo" in sys.modules:  # whose import takes seconds
            torch.compiler.reset()
        gc.collect()
        torch.cuda.empty_cache()


def begun(head: Result, file: Path) -> dict[str, Result]:
    """The parts that a run of the same commit and versions has measured on this machine."""
    if not file.exists():
        return {}
    before = json.loads(file.read_text())
    same = all(before.get(key) == head[key] for key in ("device", "commit", "versions"))
    known = head["commit"] is not None and not head["commit"].endswith("-dirty")
    return before["parts"] if same and known else {}


def main(
    minutes: Annotated[float, typer.Option(help="The parts that do not fit into this time are skipped.")] = 8.0,
    folder: Annotated[Path, typer.Option(help="Where the record is written.")] = RESULTS,
) -> None:
    """Every part for which there is time, and the JSON."""
    end = time.monotonic() + 60 * minutes
    if not torch.cuda.is_available():
        print("benchmarks/gpu.py: no GPU here; nothing was measured", file=sys.stderr)
        raise typer.Exit(1)
    device = torch.device("cuda")
    head = {**described(device), "cuda": torch.version.cuda}
    found = begun(head, path("gpu-", device, folder))
    skipped = []
    for name, part in parts(device, found):
        if name in found:
            continue
        left = end - time.monotonic()
        if left < 5:
            skipped.append(name)
            continue
        result = measured(part, left)
        print(f"{name}: {json.dumps(result)}", flush=True)
        if "cut_off_after_seconds" in result:
            skipped.append(name)
        else:
            found[name] = result
        write("gpu-", device, {**head, "parts": found, "skipped": skipped}, folder)
    write("gpu-", device, {**head, "parts": found, "skipped": skipped}, folder)
    print(f"skipped, for there was no time: {', '.join(skipped) or 'nothing'}")


if __name__ == "__main__":
    typer.run(main)
