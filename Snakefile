# f-VAEs: Improve VAEs with Conditional Flows (Su & Wu 2018), every table and figure from params.yaml.
from snakemake.utils import min_version

min_version("9.0")


configfile: "params.yaml"


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
        [paper(experiment) for experiment in PARAMS.build],


rule paper:
    input:
        [f"paper_figures/{experiment}/paper.pdf" for experiment in PARAMS.build],


onsuccess:
    say_what_was_made()
