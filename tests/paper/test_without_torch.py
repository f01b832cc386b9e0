"""Tables, figures, claims and the summary only read files: none of them imports PyTorch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from measurements import (
    floor,
    write_corruptions,
    write_json,
    write_matched,
    write_metrics,
    write_samples,
    write_training,
)

from fvae import layout, params
from fvae.models.build import KINDS
from fvae.paper import FIGURES, TABLES, caption, curves

ROOT = Path(__file__).parents[2]
EXPERIMENT = params.load("params.yaml").experiments["demo"]
COMMANDS = [
    *(f"table {name}" for name in TABLES),
    *(f"figure {name}" for name in FIGURES),
    "claims",
    "summary",
    "article",
]
RUN = """
import json, sys
from fvae.__main__ import app
for command in json.loads(sys.argv[1]):
    app([*command.split(), "--experiment", "demo"], standalone_mode=False)
    assert "torch" not in sys.modules, command
"""


def write_images(folder):
    """A prepared set of noise: sixty images of each split."""
    images = np.random.default_rng(0).integers(0, 256, (180, 3, 32, 32), dtype=np.uint8)
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", images)
    splits = [split for split in ("train", "validation", "test") for _ in range(60)]
    names = [f"{row}.png" for row in range(len(images))]
    pd.DataFrame({"name": names, "sha256": "0", "split": splits}).rename_axis("row").to_csv(folder / "index.csv")
    counts = dict.fromkeys(("train", "validation", "test"), 60)
    manifest = {"splits": counts, "mean": [127.0] * 3, "std": [70.0] * 3, "images_sha256": "abc"}
    write_json(folder / "manifest.json", manifest)


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """A folder in which everything is trained and measured."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "params.yaml").read_text()
    assert "dpi: 200" in text
    (tmp_path / "params.yaml").write_text(text.replace("dpi: 200", "dpi: 40"))
    write_images(layout.data("demo"))
    write_matched("demo", EXPERIMENT)
    write_corruptions("demo")
    for model in EXPERIMENT.models:
        for seed in EXPERIMENT.seeds:
            run = layout.Run("demo", model, seed)
            distances = [9.0] * len(EXPERIMENT.sampling.temperatures.temperatures)
            write_metrics(run, exact=model == "glow", temperature={"swd": distances})
            write_training(run)
            write_samples(run, EXPERIMENT)
    write_json(layout.floor("demo"), floor())
    return tmp_path


def test_everything_is_made_without_pytorch(finished):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUN, json.dumps(COMMANDS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    for name in FIGURES:
        assert layout.figure("demo", name, "pdf").stat().st_size > 1000
    for name in TABLES:
        assert layout.table("demo", name, "md").exists()
    assert layout.claims("demo", "md").exists()
    assert layout.metrics("demo").exists()
    assert layout.figure("demo", "paper", "pdf").exists()


def test_captions_need_neither_matplotlib_nor_pytorch():
    names = [*FIGURES, *TABLES, "claims", "article"]
    code = (
        "import sys; from fvae.paper import caption; "
        f"print(*map(caption, {names!r}), sep='\\n'); "
        "assert not {'torch', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    captions = done.stdout.splitlines()
    assert len(set(captions)) == len(names)
    assert all(text[0].isupper() and text.endswith(".") for text in captions)
    assert caption("samples") == "Two sheets of random samples (F4 of the paper)."


def test_the_kind_that_curves_mark_as_exact_is_the_one_that_is():
    assert [kind for kind, model in KINDS.items() if model.exact] == [curves.EXACT_KIND]
