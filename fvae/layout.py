"""Where every file lies: the one place that the commands and the rules take paths from.

Experiment, model and seed may be Snakemake's wildcards, such as "{experiment}".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RAW = Path("data/raw")  # what a user puts there
FETCHED = Path("data/fetched")  # what the program downloads
INCEPTION_STATUS = Path("data/inception/status.json")
INCEPTION_WEIGHTS = Path("data/inception/pt_inception-2015-12-05-6726825d.pth")


def data(experiment: str) -> Path:
    """The folder of an experiment's prepared images."""
    return Path("data", experiment)


def runs(experiment: str) -> Path:
    """The folder of all that is trained and sampled in an experiment, which DVC versions."""
    return Path("results", experiment, "runs")


def model(experiment: str, name: str) -> Path:
    """A model's section of the parameters with its matched size, and what it costs."""
    return runs(experiment) / name / "model.json"


def corruptions(experiment: str) -> Path:
    """Distances of corrupted real images to others."""
    return runs(experiment) / "corruptions.json"


def reference(experiment: str) -> Path:
    """Inception features of the training images."""
    return Path("results", experiment, "reference.npz")


def floor(experiment: str) -> Path:
    """What perfect samples would reach in each distance."""
    return runs(experiment) / "floor.json"


def metrics(experiment: str) -> Path:
    """The main numbers of every model, the mean over seeds."""
    return Path("results", experiment, "metrics.json")


def history(experiment: str) -> Path:
    """The validations of every training in one table."""
    return Path("results", experiment, "history.csv")


def table(experiment: str, name: str, suffix: str) -> Path:
    """A table."""
    return Path("results", experiment, "tables", f"{name}.{suffix}")


def claims(experiment: str, suffix: str) -> Path:
    """The verdicts on the paper's claims."""
    return Path("results", experiment, f"claims.{suffix}")


def figure(experiment: str, name: str, suffix: str) -> Path:
    """A figure."""
    return Path("paper_figures", experiment, f"{name}.{suffix}")


def recorded_figure(experiment: str, name: str) -> Path:
    """The copy of a reference run's figure that Git holds."""
    return Path("paper_figures/reference", experiment, f"{name}.png")


@dataclass(frozen=True)
class Run:
    """One training of one model with one seed, and all that is measured of it."""

    experiment: str
    model: str
    seed: int | str

    @property
    def folder(self) -> Path:
        """results/EXPERIMENT/runs/MODEL/seed-N."""
        return runs(self.experiment) / self.model / f"seed-{self.seed}"

    @property
    def weights(self) -> Path:
        """The weights that the training kept: `training.keep` says which."""
        return self.folder / "weights.safetensors"

    @property
    def model_spec(self) -> Path:
        """The model's section of the parameters with its matched size."""
        return self.folder / "model.json"

    @property
    def history(self) -> Path:
        """One row for each validation of the training."""
        return self.folder / "history.csv"

    @property
    def training(self) -> Path:
        """What the training cost."""
        return self.folder / "training.json"

    def samples(self, task: str) -> Path:
        """The images of one of the tasks under `sampling` in the parameters."""
        return self.folder / "samples" / f"{task}.npy"

    def metric(self, name: str) -> Path:
        """One of the metrics under `evaluation` in the parameters."""
        return self.folder / "metrics" / f"{name}.json"

    def command(self, name: str) -> str:
        """A command of `python -m fvae`, such as "sample random", for this run."""
        return f"{name} --experiment {self.experiment} --model {self.model} --seed {self.seed}"
