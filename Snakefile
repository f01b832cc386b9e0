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
include: "workflow/rules/state.smk"


rule all:
    default_target: True
    input:
        [paper(experiment) for experiment in PARAMS.build],


rule paper:
    input:
        [f"paper_figures/{experiment}/paper.pdf" for experiment in PARAMS.build],


for experiment in PARAMS.experiments:

    rule:
        name:
            experiment
        input:
            paper(experiment),


onstart:
    take_the_folder()


onsuccess:
    remember_outputs()
    say_what_was_made()


onerror:
    remember_outputs()
