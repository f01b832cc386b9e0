import hashlib
import json
import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from fvae.data.hub import fetched
from fvae.errors import UserError
from fvae.files import sha256, write_json
from fvae.paper import FIGURES, TABLES
from fvae.params import Images, free_sizes, load


def stop(error):
    """End with one line: an exception would be printed with Snakemake's own trace."""
    sys.exit(f"fvae: {error}")


def remembered(path):
    """What an earlier run wrote to a JSON file of this working copy; nothing where there was none."""
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return json.load(file)


# The interpreter that runs Snakemake runs the jobs; a prefix replaces Snakemake's own, which makes a pipe's failure count.
shell.prefix(
    f"set -euo pipefail; export PATH={shlex.quote(os.path.dirname(sys.executable))}:$PATH; "
)

try:
    PARAMS = load("params.yaml")
except UserError as error:
    stop(error)

SIZES = ".snakemake/sizes.json"  # that were matched, by all that they depend on
ALL_CORES = 1024  # Snakemake gives as many as --cores allows: heavy jobs run one after the other
RUN = "results/{experiment}/{model}/seed-{seed}"


def experiment_of(wildcards):
    """The experiment's section of params.yaml."""
    try:
        return PARAMS.experiment(wildcards.experiment, "target")
    except UserError as error:
        stop(error)


def slice_of(*sections):
    """A params function: sections such as "training" or "sampling.{task}" as JSON; a change of them reruns the rule."""

    def values(wildcards):
        experiment = experiment_of(wildcards).model_dump(mode="json")
        found = {}
        for section in sections:
            value = experiment
            for name in section.format(**dict(wildcards)).split("."):
                value = value[name]
            found[section] = value
        return json.dumps(found, sort_keys=True)

    return values


def matched(name, model):
    """The model with its matched size, remembered between runs: to find it takes PyTorch, and seconds."""
    experiment = PARAMS.experiment(name)
    spec = experiment.models[model]
    if not free_sizes(spec):
        return spec
    decides = [spec, experiment.models[experiment.match.model], experiment.match]
    question = [part.model_dump_json() for part in decides] + [experiment.data.size]
    question += [sha256(Path(path)) for path in code("flows", "models")]
    key = hashlib.sha256(json.dumps(question).encode()).hexdigest()
    if key not in (known := remembered(SIZES)):
        from fvae.models.match import resolve_one

        try:
            known[key] = resolve_one(experiment, model).model_dump(mode="json")
        except UserError as error:
            stop(error)
        write_json(Path(SIZES), known)
    return type(spec).model_validate(known[key])


def model_slice(wildcards):
    """A params function: the model with its matched size, and how it is trained."""
    experiment = experiment_of(wildcards)
    if wildcards.model not in experiment.models:
        stop(
            f"target: {wildcards.experiment} has no model '{wildcards.model}'; it has {', '.join(experiment.models)}"
        )
    return json.dumps(
        {
            "model": matched(wildcards.experiment, wildcards.model).model_dump(
                mode="json"
            ),
            "training": experiment.training.model_dump(mode="json"),
        },
        sort_keys=True,
    )


def models_slice(wildcards):
    """A params function: what decides the models' sizes."""
    experiment = experiment_of(wildcards)
    sizes = {
        name: spec.model_dump(mode="json", exclude={"learning_rate", "init"})
        for name, spec in experiment.models.items()
    }
    return json.dumps(
        {
            "models": sizes,
            "match": experiment.match.model_dump(mode="json"),
            "size": experiment.data.size,
        },
        sort_keys=True,
    )


def runs(pattern, model=None):
    """An input function: a file of each model and seed of an experiment, or of one model."""

    def files(wildcards):
        experiment = experiment_of(wildcards)
        models = (
            [experiment.figures.model if model == "shown" else model]
            if model
            else list(experiment.models)
        )
        seeds = experiment.seeds if not model else experiment.seeds[:1]
        return expand(
            f"{RUN}/{pattern}",
            experiment=wildcards.experiment,
            model=models,
            seed=seeds,
        )

    return files


def metric_of_kinds(metric, *kinds):
    """An input function: a metric of each seed of the models of these kinds."""

    def files(wildcards):
        experiment = experiment_of(wildcards)
        models = [
            name for name, spec in experiment.models.items() if spec.kind in kinds
        ]
        return expand(
            f"{RUN}/metrics/{metric}.json",
            experiment=wildcards.experiment,
            model=models,
            seed=experiment.seeds,
        )

    return files


def code(*places):
    """The package's source files that a rule's result depends on."""
    files = []
    for place in places:
        root = os.path.join("fvae", place)
        files += (
            [root]
            if root.endswith(".py")
            else sorted(
                os.path.join(root, file)
                for file in os.listdir(os.path.join(workflow.basedir, root))
                if file.endswith(".py")
            )
        )
    return files


def paper(experiment):
    """All tables, figures and claims of an experiment, and the PDF that shows them together."""
    figures = expand(
        "paper_figures/{experiment}/{name}.{suffix}",
        experiment=experiment,
        name=list(FIGURES),
        suffix=["pdf", "png"],
    )
    tables = expand(
        "results/{experiment}/tables/{name}.{suffix}",
        experiment=experiment,
        name=TABLES,
        suffix=["csv", "md", "tex"],
    )
    return [
        *figures,
        *tables,
        f"results/{experiment}/claims.md",
        f"paper_figures/{experiment}/paper.pdf",
    ]


def figure(name):
    """The files of a figure; the PNG stands in the report."""
    return {
        "pdf": f"paper_figures/{{experiment}}/{name}.pdf",
        "png": report(
            f"paper_figures/{{experiment}}/{name}.png", **captioned("figure", name)
        ),
    }


def table(name):
    """The files of a table; the CSV stands in the report."""
    return {
        "csv": report(
            f"results/{{experiment}}/tables/{name}.csv", **captioned("table", name)
        ),
        "md": f"results/{{experiment}}/tables/{name}.md",
        "tex": f"results/{{experiment}}/tables/{name}.tex",
    }


def captioned(kind, name):
    """A report's caption and place."""
    return {
        "caption": f"../report/{name}.rst",
        "category": "{experiment}",
        "subcategory": f"{kind}s",
        "labels": {kind: name},
    }


def say_what_was_made():
    """The end of a run: where the results are, and why a number is missing."""
    if workflow.touch:
        return
    for experiment in PARAMS.build:
        table = f"results/{experiment}/tables/metrics.md"
        if os.path.exists(table):
            with open(table) as file:
                print(
                    f"\n{experiment}: paper_figures/{experiment}, results/{experiment}/tables\n\n{file.read()}",
                    file=sys.stderr,
                )


def source(wildcards):
    """The images as the user has them; none for a set that is drawn or fetched, or that is here already prepared."""
    settings = experiment_of(wildcards).data
    if not isinstance(settings, Images) or fetched(settings.path):
        return []
    if os.path.exists(settings.path):
        return [settings.path]
    if os.path.exists(f"data/{wildcards.experiment}/manifest.json"):
        return []
    stop(
        f"experiments.{wildcards.experiment}.data.path: {settings.path} does not exist; "
        "put the archive or the folder of images there, or name another path"
    )
