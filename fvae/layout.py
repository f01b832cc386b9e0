"""Where everything lies: the one place that the commands and the rules take paths from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

INCEPTION_STATUS = Path("data/inception/status.json")
INCEPTION_WEIGHTS = Path("data/inception/pt_inception-2015-12-05-6726825d.pth")


def data(experiment: str) -> Path:
    """The folder of an experiment's prepared images."""
    return Path("data", experiment)


def reference(experiment: str) -> Path:
    """Inception features of the training images."""
    return Path("results", experiment, "reference.npz")


def table(experiment: str, name: str, suffix: str) -> Path:
    """A table."""
    return Path("results", experiment, "tables", f"{name}.{suffix}")


def claims(experiment: str, suffix: str) -> Path:
    """The paper's claims, decided."""
    return Path("results", experiment, f"claims.{suffix}")


def figure(experiment: str, name: str, suffix: str) -> Path:
    """A figure."""
    return Path("paper_figures", experiment, f"{name}.{suffix}")


@dataclass(frozen=True)
class Run:
    """One training of one model with one seed, and all that is measured of it."""

    experiment: str
    model: str
    seed: int

    @property
    def folder(self) -> Path:
        """results/EXPERIMENT/MODEL/seed-N."""
        return Path("results", self.experiment, self.model, f"seed-{self.seed}")

    @property
    def weights(self) -> Path:
        """The chosen weights."""
        return self.folder / "weights.safetensors"

    @property
    def model_spec(self) -> Path:
        """The model's section of the parameters, resolved."""
        return self.folder / "model.json"

    @property
    def history(self) -> Path:
        """A row for each validation of the training."""
        return self.folder / "history.csv"

    @property
    def training(self) -> Path:
        """What the training cost."""
        return self.folder / "training.json"

    def samples(self, task: str) -> Path:
        """The images of a task of the parameters' `sampling`."""
        return self.folder / "samples" / f"{task}.npy"

    def metric(self, name: str) -> Path:
        """A metric of the parameters' `evaluation`."""
        return self.folder / "metrics" / f"{name}.json"
