# f-VAEs: Improve VAEs with Conditional Flows (Su & Wu 2018): every table and figure, from params.yaml.
from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


wildcard_constraints:
    experiment="[a-z][a-z0-9_]*",
    model="[a-z][a-z0-9_]*",
    seed="[0-9]+",


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/paper.smk"


rule all:
    default_target: True
    input:
        [everything(experiment) for experiment in PLAN.params.build],


rule paper:
    input:
        [layout.figure(experiment, "paper", "pdf") for experiment in PLAN.params.build],


for experiment in PLAN.params.experiments:

    rule:
        name:
            experiment
        input:
            everything(experiment),


onstart:
    take_folder(PLAN.cluster)
    PLAN.start()
    # With its limiter, Snakemake 9.27 looks for jobs once a second for each job that has ended: it keeps a core busy.
    workflow.scheduler.job_rate_limiter = None


onsuccess:
    print_metrics()


onerror:
    print_failures(log)
