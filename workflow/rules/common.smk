# What all rules use. Functions that answer Snakemake's questions are in workflow/planning.py.
import os
import re
import shlex
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from fvae import layout
from fvae.evaluation import METRIC_OF, TASKS
from fvae.paper import TABLES, caption, figures
from workflow.estimates import Estimates
from workflow.folder import take_folder
from workflow.planning import STARTED, Plan, code, history, metric, samples, training

PLAN = Plan(config)
needs = Estimates(PLAN).needs
RUN = layout.Run("{experiment}", "{model}", "{seed}")
IMAGES = layout.data("{experiment}") / "images.npy"
INDEX = layout.data("{experiment}") / "index.csv"
MANIFEST = layout.data("{experiment}") / "manifest.json"
OF_EXPERIMENT = "--experiment {wildcards.experiment}"
OF_MODEL = f"{OF_EXPERIMENT} --model {{wildcards.model}}"
OF_RUN = f"{OF_MODEL} --seed {{wildcards.seed}}"

# Jobs have the interpreter that runs Snakemake. After SIGTERM a shell waits for its command, or Slurm would kill it.
shell.prefix(
    f"set -euo pipefail; trap : TERM; export PATH={shlex.quote(os.path.dirname(sys.executable))}:$PATH; "
)


def command(name, options=OF_EXPERIMENT):
    """A shell command whose output is also written to the log; tee outlives a signal, to log the last lines."""
    return (
        f"python -m fvae {name} {options} 2>&1 | (trap '' INT TERM; exec tee {{log}})"
    )


def everything(experiment):
    """All tables, figures and claims of an experiment, the PDF that shows them together, and the main numbers."""
    return [
        *(
            layout.figure(experiment, name, suffix)
            for name in figures(PLAN.params.experiments[experiment])
            for suffix in ("pdf", "png")
        ),
        *(
            layout.table(experiment, name, suffix)
            for name in TABLES
            for suffix in ("csv", "md", "tex")
        ),
        layout.claims(experiment, "md"),
        layout.figure(experiment, "paper", "pdf"),
        layout.metrics(experiment),
    ]


def in_report(path, group, name):
    """A file that stands in the report; its rule has the caption as a parameter. Groups are shown by alphabet."""
    return report(
        path,
        caption="../report/caption.rst",
        category="{experiment}",
        subcategory=group,
        labels={"result": name.replace("_", " ")},
    )


def print_metrics():
    """The end of a run: where the results are, and each table of metrics that was made, with its notes."""
    for experiment in [] if PLAN.recorded else PLAN.params.experiments:
        table = layout.table(experiment, "metrics", "md")
        if table.exists() and table.stat().st_mtime > STARTED.stat().st_mtime:
            print(
                f"\n{experiment}: paper_figures/{experiment}, results/{experiment}/tables\n\n{table.read_text()}",
                file=sys.stderr,
            )


def print_failures(logs):
    """The end of a run that failed: the last line of each job that failed, with its log. `logs` are Snakemake's."""
    text = "".join(Path(log).read_text() for log in logs)
    for file in dict.fromkeys(
        re.findall(r"^ +log: (\S+) \(check log", text, re.MULTILINE)
    ):
        lines = Path(file).read_text().splitlines() if Path(file).exists() else []
        print(f"\n{file}: {lines[-1] if lines else 'empty'}", file=sys.stderr)
