TRAINED = [RUN.model_spec, RUN.weights]


# Parameters of the metrics that are measured of the images of one task only, by the process that samples them.
PARAMETERS = {
    "temperature": ["evaluation.swd.patches"],
    "interpolation": ["data"],
    "sources": ["evaluation.swd.patches"],
    "grain": ["evaluation.swd.patches"],
}

for task in TASKS:
    metrics = [METRIC_OF[task]] if task in METRIC_OF else []

    rule:
        name:
            f"sample_{task}"
        input:
            TRAINED,
            IMAGES,
            code=code(
                "fvae.commands.sample",
                *(f"fvae.evaluation.metrics.{metric}" for metric in metrics),
            ),
        output:
            RUN.samples(task),
            list(map(RUN.metric, metrics)),
        log:
            f"logs/{{experiment}}/{{model}}/seed-{{seed}}/sample_{task}.log",
        benchmark:
            f"logs/{{experiment}}/{{model}}/seed-{{seed}}/sample_{task}.benchmark.tsv"
        resources:
            **needs(PLAN.gpu),
        params:
            PLAN.values(
                f"sampling.{task}",
                "sampling.batch_norm",
                *(section for metric in metrics for section in PARAMETERS[metric]),
            ),
            task=task,  # Snakemake evaluates `shell` later, when the loop has ended
        shell:
            command("sample {params.task}", OF_RUN)


# Evaluations of a run: the metrics that one job measures, what from, and their parameters. A process takes seconds to
# import PyTorch; bits/dim and FID, which take longest, have jobs of their own.
EVALUATIONS = {
    "bpd": (["bpd"], [*TRAINED, IMAGES], ["evaluation.bpd"]),
    "samples": (
        ["swd", "portrait_distance", "random_features", "sharpness", "special_case"],
        [*TRAINED, RUN.samples("random"), IMAGES],
        [
            "evaluation.swd",
            "evaluation.portrait_distance",
            "evaluation.sharpness",
            "data",
        ],
    ),
    "fid": (
        ["fid"],
        [
            RUN.samples("random"),
            layout.reference("{experiment}"),
            layout.INCEPTION_STATUS,
        ],
        ["evaluation.fid"],
    ),
}

for name, (metrics, files, sections) in EVALUATIONS.items():

    rule:
        name:
            f"evaluate_{name}"
        input:
            files,
            code=code(
                "fvae.commands.evaluate",
                *(f"fvae.evaluation.metrics.{metric}" for metric in metrics),
            ),
        output:
            list(map(RUN.metric, metrics)),
        log:
            f"logs/{{experiment}}/{{model}}/seed-{{seed}}/evaluate_{name}.log",
        benchmark:
            f"logs/{{experiment}}/{{model}}/seed-{{seed}}/evaluate_{name}.benchmark.tsv"
        resources:
            **needs(PLAN.gpu),
        params:
            PLAN.values(*sections),
            metrics=metrics,
        shell:
            command("evaluate {params.metrics}", OF_RUN)


rule evaluate_corruptions:
    input:
        images=IMAGES,
        index=INDEX,
        code=code("fvae.commands.corruptions"),
    output:
        layout.corruptions("{experiment}"),
    log:
        "logs/{experiment}/corruptions.log",
    benchmark:
        "logs/{experiment}/corruptions.benchmark.tsv"
    priority: 2  # it needs no training, and would otherwise be left for the end
    params:
        PLAN.values("data", "evaluation.swd"),
    shell:
        command("corruptions")


rule inception_weights:
    input:
        [str(PLAN.params.inception.path)] if PLAN.params.inception.path else [],
    output:
        layout.INCEPTION_STATUS,
    log:
        "logs/inception.log",
    priority: 2  # a run that needs the weights stops before the trainings
    localrule: True  # nodes of a cluster often have no internet
    params:
        str(PLAN.params.inception.path),
    shell:
        command("inception", "")


rule reference:
    input:
        images=IMAGES,
        index=INDEX,
        inception=layout.INCEPTION_STATUS,
        code=code("fvae.commands.reference"),
    output:
        layout.reference("{experiment}"),
    log:
        "logs/{experiment}/reference.log",
    benchmark:
        "logs/{experiment}/reference.benchmark.tsv"
    priority: 2
    resources:
        **needs(PLAN.gpu),
    params:
        PLAN.values("evaluation.fid.mode"),
    shell:
        command("reference")


rule floor:
    input:
        images=IMAGES,
        index=INDEX,
        inception=layout.INCEPTION_STATUS,
        reference=layout.reference("{experiment}"),
        code=code("fvae.commands.floor"),
    output:
        layout.floor("{experiment}"),
    log:
        "logs/{experiment}/floor.log",
    benchmark:
        "logs/{experiment}/floor.benchmark.tsv"
    resources:
        **needs(PLAN.gpu),
    params:
        PLAN.values(
            "evaluation.swd",
            "evaluation.portrait_distance",
            "evaluation.fid.images",
            "sampling.random.images",
            "sampling.random.draws",
        ),
    shell:
        command("floor")


rule summary:
    input:
        layout.floor("{experiment}"),
        PLAN.runs(
            *map(metric, ("bpd", "swd", "portrait_distance", "random_features")),
            *map(metric, ("fid", "sharpness")),
            history,
            training,
        ),
        PLAN.model_files,
        code=code("fvae.commands.summary"),
    output:
        metrics=layout.metrics("{experiment}"),
        history=layout.history("{experiment}"),
    log:
        "logs/{experiment}/summary.log",
    shell:
        command("summary")
