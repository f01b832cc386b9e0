"""Speed of `prepare` beside a plain Pillow loop that crops, resizes and saves the same images.

    PYTHONPATH=. python benchmarks/prepare.py [ARCHIVE…]

prints each ratio with its spread over rounds, and how long the 30,000 images of CelebA-HQ would take, from a thousand
synthetic ones of 1024×1024, for both of the paper's sizes at once; it writes benchmarks/results/prepare-DEVICE.json.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import PIL
import torch
import typer
from PIL import Image
from records import ROUNDS, described, write

from fvae.data.prepare import prepare_images
from fvae.params import Images

SIZE = 64


def members(archive: Path):
    """Names and contents, as a plain script reads them."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                yield name, opened.read(name)
    else:
        with tarfile.open(archive) as opened:
            for member in opened:
                if member.isfile():
                    yield member.name, opened.extractfile(member).read()


def loop(archive: Path, out: Path) -> int:
    """The plain loop: one array of the centre crops."""
    made = []
    for name, data in members(archive):
        if name.endswith(".jpg"):
            image = Image.open(io.BytesIO(data)).convert("RGB")
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            image = image.crop((left, top, left + side, top + side)).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
            made.append(np.asarray(image).transpose(2, 0, 1))
    np.save(out, np.stack(made))
    return len(made)


def ours(archive: Path, out: Path, others: dict[int, Path] | None = None) -> None:
    """What `python -m fvae prepare` does."""
    split = {"kind": "hash", "validation": 0.05, "test": 0.05}
    how = {"size": SIZE, "bits": 8, "crop": "center", "filter": "lanczos", "split": split}
    prepare_images(Images(kind="images", path=str(archive), limit=None, max_rejected=0.01, **how), out, others)


def synthetic(path: Path, images: int) -> None:
    """A zip of JPEGs of 1024×1024, each near 100 kB, as those of CelebAMask-HQ are."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(images):
            smooth = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
            smooth = np.asarray(smooth.resize((1024, 1024), Image.Resampling.BICUBIC))
            noisy = (smooth + rng.normal(0, 3, (1024, 1024, 1))).clip(0, 255).astype(np.uint8)
            buffer = io.BytesIO()
            Image.fromarray(noisy).save(buffer, "JPEG", quality=80)
            archive.writestr(f"CelebA-HQ-img/{number}.jpg", buffer.getvalue())


def projection(images: int = 1000) -> dict[str, float]:
    """Prepare synthetic images at both of the paper's sizes."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "synthetic.zip")
        synthetic(archive, images)
        start = time.perf_counter()
        ours(archive, Path(folder, "64"), {128: Path(folder, "128")})
        rate = images / (time.perf_counter() - start)
        size = archive.stat().st_size / images / 1000
    minutes = 30_000 / rate / 60
    print(f"1024×1024 ({size:.0f} kB each) to 64 and 128: {rate:.0f} images/s, 30,000 in {minutes:.1f} min")
    return {"kilobytes": size, "images": images, "images_per_second": rate, "minutes_of_30000": minutes}


def compared(archive: Path) -> dict[str, Any]:
    """Images/s of both on an archive, timed in turn, and the ratio."""
    times: dict[str, list[float]] = {"ours": [], "loop": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            for name, run in (("ours", ours), ("loop", loop)):
                start = time.perf_counter()
                count = run(archive, Path(folder, name + ".npy")) or 0
                times[name].append(time.perf_counter() - start)
    ratios = [b / a for a, b in zip(times["ours"], times["loop"], strict=True)]
    rates = {name: count / median(seconds) for name, seconds in times.items()}
    said = ", ".join(f"{name} {rate:,.0f} images/s" for name, rate in rates.items())
    print(f"{archive.name}: {median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f}), {said}")
    ratio = {"ratio": median(ratios), "low": min(ratios), "high": max(ratios)}
    return {"images_per_second": rates, "ours / loop": ratio}


def main(archives: Annotated[list[Path] | None, typer.Argument()] = None) -> None:
    """Every measurement, and the JSON."""
    device = torch.device("cpu")
    found = {**described(device), "pillow": PIL.__version__, "projection": projection()}
    found |= {archive.name: compared(archive) for archive in archives or []}
    write("prepare-", device, found)


if __name__ == "__main__":
    typer.run(main)
