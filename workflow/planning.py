"""What Snakemake asks while it plans: each rule's parameters, its inputs, and the code that it runs.

Planning reads files and writes none, so that `snakemake -n` leaves the project as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import grimp

from fvae import layout
from fvae.data.fingerprint import source_digest
from fvae.data.hub import fetched, missing_source
from fvae.errors import UserError
from fvae.files import read_json, write_json
from fvae.paper import FIGURES, figures, runs
from fvae.params import NOT_OF_SIZE, Experiment, Images, Params, load

SOURCES = Path(".snakemake/sources.json")  # digests of raw data by names, sizes and times of its files
STARTED = Path(".snakemake/started")  # there once Snakemake ran, or `make adopt`, in this folder
# A change of these modules cannot change a result: rules declare their paths and the values of their parameters.
NEUTRAL = ("fvae.params", "fvae.layout", "fvae.errors", "fvae.progress", "fvae.provenance", "fvae.version")

Wildcards = Any  # Snakemake's
InputFunction = Callable[[Wildcards], list[str]]
ParamsFunction = Callable[[Wildcards], str]


def stop(error: object) -> NoReturn:
    """End with one line: Snakemake would print an exception with its own stack."""
    sys.exit(f"fvae: {error}")


@cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph("fvae", cache_dir=None)


def code(*modules: str) -> list[str]:
    """The source files of modules and of all that they import: a change of one of them runs the rule again."""
    graph = _imports()
    needed = set(modules).union(*(graph.find_upstream_modules(module) for module in modules))
    return sorted(
        str(_file(module))
        for module in needed
        if not any(module == neutral or module.startswith(f"{neutral}.") for neutral in NEUTRAL)
    )


def _file(module: str) -> Path:
    place = Path(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


class Plan:
    """The parameters, as the rules ask for them.

    `config` is Snakemake's: empty, or with `recorded_params`, the parameters by which dvc.lock says that the files here
    were made; `workflow/adopt.py` uses it together with --touch. `gpu`, 0 or 1, says whether the nodes of a
    cluster have GPUs; without it, this machine decides. A UserError ends the program with its line.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        recorded = config.get("recorded_params")
        if set(config) - {"recorded_params", "gpu"} or (recorded and "--touch" not in sys.argv):
            stop("params.yaml alone decides results: change it there; --config and --configfile are not read")
        if config.get("gpu", 0) not in (0, 1):
            stop("config: gpu is 0 or 1")
        self.cluster = "gpu" in config
        self.gpu = int(config.get("gpu", Path("/dev/nvidia0").exists()))  # GPUs of a job, or of a process that trains
        try:
            self.params: Params = load(recorded or "params.yaml")
        except UserError as error:
            stop(error)
        # Snakemake asks for parameters once per job, and an experiment has hundreds of jobs.
        self.plain = cache(lambda name: self.params.experiments[name].model_dump(mode="json"))
        self.recorded = bool(recorded)
        try:
            self.sources: dict[str, str] = read_json(SOURCES, "", dict[str, str])
        except UserError:  # missing or damaged: digests are computed again
            self.sources = {}
        if not self.recorded and not STARTED.exists() and (found := next(Path("results").glob("*/runs"), None)):
            stop(f"{found}: not made by Snakemake in this folder; run `make adopt`, then this again")

    def start(self) -> None:
        """Note that Snakemake works in this folder, and what it knows about raw data."""
        write_json(SOURCES, self.sources)
        STARTED.touch()

    def experiment(self, wildcards: Wildcards) -> Experiment:
        """The experiment that a wildcard names."""
        try:
            return self.params.experiment(wildcards.experiment, "target")
        except UserError as error:
            stop(error)

    def values(self, *sections: str) -> ParamsFunction:
        """Sections such as "training" or "sampling.random" as JSON."""

        def params(wildcards: Wildcards) -> str:
            self.experiment(wildcards)  # stops where there is none of that name
            found = {}
            for section in sections:
                value = self.plain(wildcards.experiment)
                for name in section.split("."):
                    value = value[name]
                found[section] = value
            return json.dumps(found, sort_keys=True)

        return params

    def sizes(self, wildcards: Wildcards) -> str:
        """All that decides a model's matched size."""
        experiment = self.experiment(wildcards)
        models = self._models(experiment, wildcards)
        return json.dumps(
            {
                "model": models[wildcards.model].model_dump(mode="json", exclude=NOT_OF_SIZE),
                "target": models[experiment.match.model].model_dump(mode="json", exclude=NOT_OF_SIZE),
                "match": experiment.match.model_dump(mode="json"),
                "images": [experiment.data.size, experiment.data.bits],
            },
            sort_keys=True,
        )

    def training(self, wildcards: Wildcards) -> str:
        """How a model is trained; its size is that of model.json."""
        experiment = self.experiment(wildcards)
        spec = self._models(experiment, wildcards)[wildcards.model]
        if int(wildcards.seed) not in experiment.seeds:
            seeds = ", ".join(map(str, experiment.seeds))
            stop(f"target: {wildcards.experiment} has no seed {wildcards.seed}; it has {seeds}")
        return json.dumps(
            {
                "model": spec.model_dump(mode="json", include={"learning_rate", "init"}),
                "training": experiment.training_of(wildcards.model).model_dump(mode="json"),
                "patches": experiment.evaluation.swd.patches,
            },
            sort_keys=True,
        )

    @staticmethod
    def _models(experiment: Experiment, wildcards: Wildcards) -> Mapping[str, Any]:
        if wildcards.model not in experiment.models:
            known = ", ".join(experiment.models)
            stop(f"target: {wildcards.experiment} has no model '{wildcards.model}'; it has {known}")
        return experiment.models

    def threads(self, wildcards: Wildcards) -> int:
        """The threads of a training on CPUs, over all its processes."""
        training = self.experiment(wildcards).training
        return training.devices * training.threads

    def gpus(self, wildcards: Wildcards) -> int:
        """The GPUs of a training; none where there are none."""
        return self.experiment(wildcards).training.devices * self.gpu

    def source(self, wildcards: Wildcards) -> str:
        """A digest of the raw images, by which a change of them is noticed; empty where they are drawn or fetched."""
        settings = self.experiment(wildcards).data
        if not isinstance(settings, Images) or fetched(settings.path):
            return ""
        manifest = layout.data(wildcards.experiment) / "manifest.json"
        try:
            if Path(settings.path).exists() and not self.recorded:
                return source_digest(settings.path, self.sources)
            if manifest.exists():
                return read_json(manifest, f"prepare --experiment {wildcards.experiment}")["source_sha256"]
        except UserError as error:
            stop(error)
        stop(f"experiments.{wildcards.experiment}.data.path: {missing_source(settings.path)}")

    def model_files(self, wildcards: Wildcards) -> list[str]:
        """model.json of every model of an experiment."""
        return [str(layout.model(wildcards.experiment, model)) for model in self.experiment(wildcards).models]

    def figures(self, wildcards: Wildcards) -> list[str]:
        """The PDF of every figure of an experiment."""
        names = figures(self.experiment(wildcards))
        return [str(layout.figure(wildcards.experiment, name, "pdf")) for name in names]

    def runs(self, *files: Callable[[layout.Run], Path], kinds: Collection[str] = ()) -> InputFunction:
        """Files of each model and seed of an experiment, or of the models of some kinds."""

        def inputs(wildcards: Wildcards) -> list[str]:
            experiment = self.experiment(wildcards)
            every = runs("all", wildcards.experiment, experiment)
            kept = [run for run in every if not kinds or experiment.models[run.model].kind in kinds]
            return [str(file(run)) for file in files for run in kept]

        return inputs

    def shown_by(self, figure: str, *files: Callable[[layout.Run], Path]) -> InputFunction:
        """Files of each training that a figure shows."""

        def inputs(wildcards: Wildcards) -> list[str]:
            found = runs(FIGURES[figure], wildcards.experiment, self.experiment(wildcards))
            return [str(file(run)) for file in files for run in found]

        return inputs


def samples(task: str) -> Callable[[layout.Run], Path]:
    """The samples of a task, of a run that is given later."""
    return lambda run: run.samples(task)


def metric(name: str) -> Callable[[layout.Run], Path]:
    """A metric, of a run that is given later."""
    return lambda run: run.metric(name)


def history(run: layout.Run) -> Path:
    """The validations of a run."""
    return run.history


def training(run: layout.Run) -> Path:
    """What a run cost."""
    return run.training
