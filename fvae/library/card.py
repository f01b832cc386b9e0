"""The model card of an exported run: the Hub's metadata, sizes, data, metrics with errors, limits and licence."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from huggingface_hub import ModelCardData

from fvae import layout
from fvae.data.dataset import Manifest
from fvae.files import read_json
from fvae.library.trained_model import TrainedModel
from fvae.models.build import describe
from fvae.paper import style
from fvae.paper.table import mean_and_spread
from fvae.params import Experiment, Images, Portraits
from fvae.results import read_cost, read_floor, read_metric
from fvae.version import __version__

PAPER = "https://arxiv.org/abs/1809.05861"
DISTANCES = (  # metric, as printed, and the key of its number
    ("portrait_distance", "portrait distance ↓", "portrait_distance"),
    ("swd", "SWD × 10³ ↓", "mean"),
)
DRAWN = (
    "The portraits are drawn by a program from random numbers. They show no real person and have no licence of their "
    "own, so that the weights may be shared."
)
PHOTOGRAPHS = (
    "**Before you share these weights:** the licence of the images decides whether models that were trained on them "
    "may be shared, and for which purposes. The licence of the code says nothing about that."
)


def card(run: layout.Run, experiment: Experiment, trained: TrainedModel, sheet_temperature: float, onnx: bool) -> str:
    """The text of README.md. Raises UserError where the run is not trained or a file of it is damaged."""
    parts = [
        f"---\n{metadata(experiment, onnx)}\n---",
        f"# {style.label(run.model)}, trained on {subject(experiment)} at {trained.image_size}×{trained.image_size}",
        f"A `{trained.spec.kind}` model of [f-VAEs: Improve VAEs with Conditional Flows]({PAPER}) (Su & Wu 2018), "
        f"reproduced. It is the run `{run.experiment}/{run.model}/seed-{run.seed}`.",
        f"![{trained.image_size}×{trained.image_size} random samples](sheet.png)",
        f"Random samples at temperature {sheet_temperature:g}; none was chosen.",
        "## Use\n\n" + usage(trained, onnx),
        "## Size\n\n" + as_table(size_rows(trained)),
        "## Data and training\n\n" + data(run, experiment) + "\n\n" + training(run, experiment),
        "## Metrics\n\n" + metrics(run, experiment),
        "## Limits\n\n" + "\n".join(f"* {limit}" for limit in limits(experiment, trained)),
        "## Licence\n\n" + licence(experiment),
    ]
    return "\n\n".join(parts) + "\n"


def metadata(experiment: Experiment, onnx: bool) -> str:
    """The Hub's metadata as YAML."""
    drawn = isinstance(experiment.data, Portraits)
    tags = ["f-vae", "vae", "normalizing-flow", "image-generation", *(["onnx"] if onnx else []), "arxiv:1809.05861"]
    return ModelCardData(
        license="mit" if drawn else "other",
        license_name=None if drawn else "that-of-the-images",
        library_name="fvae",
        pipeline_tag="unconditional-image-generation",
        tags=tags,
    ).to_yaml()


def subject(experiment: Experiment) -> str:
    """What the images are."""
    return "drawn portraits" if isinstance(experiment.data, Portraits) else "photographs"


def usage(trained: TrainedModel, onnx: bool) -> str:
    """How to load and use the model."""
    lines = [
        "```python",
        "import fvae",
        "",
        'model = fvae.load("hf://OWNER/NAME")  # or the path of this folder',
        "images = model.sample(16, temperature=0.8, seed=0)  # uint8 (16, 3, H, W)",
        "z = model.encode(images)  # float32 (16, d)",
        "again = model.decode(z)",
        "```",
        "",
        f"This needs version {__version__} of `fvae`, or a later one.",
    ]
    if onnx:
        lines += [
            "",
            "Without PyTorch, `decoder.onnx` makes images (n, 3, H, W), in [-1, 1] but for a few values, of latents "
            f"z ∼ N(0, T²), (n, {trained.latent_dims}):",
            "",
            "```python",
            "import numpy as np",
            "import onnxruntime",
            "",
            'session = onnxruntime.InferenceSession("decoder.onnx")',
            f"z = 0.8 * np.random.default_rng(0).standard_normal((16, {trained.latent_dims})).astype(np.float32)",
            '(x,) = session.run(["image"], {"z": z})',
            "images = np.clip((x + 1) * 128, 0, 255).astype(np.uint8)",
            "```",
        ]
    return "\n".join(lines)


def as_table(rows: list[dict[str, str]]) -> str:
    """Rows as a table in Markdown."""
    return pd.DataFrame(rows).fillna("").to_markdown(index=False, disable_numparse=True)


def size_rows(trained: TrainedModel) -> list[dict[str, str]]:
    """What the model costs."""
    size = describe(trained.spec, trained.image_size)
    shapes = ", ".join("×".join(map(str, shape)) for shape in size["latent"]["shapes"])
    found = {
        "images": f"RGB, {trained.image_size}×{trained.image_size}, {trained.bits} bits",
        "parameters": f"{size['parameters']:,}",
        "multiply-accumulates of equation (6) for one image": f"{size['macs']:,}",
        "latent": f"{size['latent']['dims']:,} = {shapes} (C×H×W)",
    }
    return [{"": name, "this model": value} for name, value in found.items()]


def data(run: layout.Run, experiment: Experiment) -> str:
    """Which images the model was trained on."""
    manifest = layout.data(run.experiment) / "manifest.json"
    counts = ""
    if manifest.is_file():
        splits = read_json(manifest, f"prepare --experiment {run.experiment}", Manifest)["splits"]
        counts = ": " + ", ".join(f"{number:,} {split}" for split, number in splits.items())
    source = f"from `{experiment.data.path}`, " if isinstance(experiment.data, Images) else ""
    kept = "" if experiment.training.hold_out else " The model was trained on the held-out images too."
    about = DRAWN if isinstance(experiment.data, Portraits) else PHOTOGRAPHS
    return f"{subject(experiment).capitalize()}, {source}by split{counts}.{kept}\n\n{about}"


def training(run: layout.Run, experiment: Experiment) -> str:
    """How the model was trained."""
    cost, settings = read_cost(run), experiment.training_of(run.model)
    commit = f" The code is that of commit `{cost['commit']}`." if cost.get("commit") else ""
    return (
        f"It saw {settings.images:,} images in batches of {settings.batch_size}, in {cost['seconds']:,.0f} seconds on "
        f"{cost['device']}.{commit}"
    )


def metrics(run: layout.Run, experiment: Experiment) -> str:
    """A table of what was measured of this run."""
    rows = list(metric_rows(run, experiment))
    if not rows:
        return "Nothing was measured of this run."
    note = (
        "± is the standard error over images for bits/dim, and the standard deviation over draws of samples for "
        "distances. It says nothing about other trainings. ≤: an upper bound."
    )
    return f"{as_table(rows)}\n\n{note}"


def metric_rows(run: layout.Run, experiment: Experiment) -> Iterator[dict[str, str]]:
    """A row for each metric that was measured, with what real images reach in it."""
    floor = read_floor(run.experiment) if layout.floor(run.experiment).is_file() else {}
    samples = f"samples at T = {experiment.sampling.random.temperature:g}"

    def row(label: str, value: str, measured_of: str, name: str = "") -> dict[str, str]:
        found = floor.get(name)
        real = mean_and_spread([found["mean"]], 1, of_one=found["standard_deviation"]) if found else ""
        return {"metric": label, "this model": value, "real images": real, "measured of": measured_of}

    if run.metric("bpd").is_file():
        bpd = read_metric(run, "bpd")
        value = ("≤ " if bpd["bound"] else "") + mean_and_spread([bpd["bpd"]], 3, of_one=bpd["standard_error"])
        yield row("bits/dim ↓", value, f"{bpd['images']:,} held-out images")
    for name, label, key in DISTANCES:
        if run.metric(name).is_file() and (found := read_metric(run, name))[key] is not None:
            value = mean_and_spread([found[key]], 1, of_one=found["standard_deviation"])
            yield row(label, value, f"{found['images']:,} {samples}", name)
    if run.metric("fid").is_file():
        fid = read_metric(run, "fid")
        of = fid["reason"] if fid["fid"] is None else f"{fid['images']:,} {samples}"
        yield row("FID ↓", mean_and_spread([fid["fid"]], 1, of_one=fid["fid_standard_deviation"]), of, "fid")
    if run.metric("sharpness").is_file():
        found = read_metric(run, "sharpness")["reconstructions"]
        value = "exact" if found["psnr"] is None else f"{found['psnr']:.1f}"
        yield row("PSNR, dB ↑", value, f"{found['images']:,} reconstructions")


def limits(experiment: Experiment, trained: TrainedModel) -> Iterator[str]:
    """What the model cannot do, and what its numbers do not say."""
    yield f"It makes images of {trained.image_size}×{trained.image_size} pixels and of no other size."
    yield "It is one training with one seed; another seed gives other numbers."
    yield "Below temperature 1 samples are cleaner and less varied. The metrics are of the temperature that they name."
    if not trained.model.exact:
        yield "Its bits/dim are an upper bound, which cannot be compared with the exact ones of a flow without care."
    if isinstance(experiment.data, Portraits):
        yield "It knows only drawn portraits. It cannot encode or reconstruct photographs of faces."
    else:
        yield "It repeats what is frequent in its images, and makes rare kinds of people worse or not at all."
        yield "Its images may resemble those that it was trained on. Do not use them to identify or to imitate anyone."


def licence(experiment: Experiment) -> str:
    """Under which licence the files are."""
    if isinstance(experiment.data, Portraits):
        return "MIT, code and weights."
    return f"The code is under the MIT licence. {PHOTOGRAPHS}"
