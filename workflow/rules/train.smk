rule match:
    input:
        code=code("fvae.commands.match"),
    output:
        layout.model("{experiment}", "{model}"),
    log:
        "logs/{experiment}/{model}/match.log",
    params:
        PLAN.sizes,
    shell:
        command("match", OF_MODEL)


rule train:
    input:
        images=IMAGES,
        index=INDEX,
        model=layout.model("{experiment}", "{model}"),
        code=code("fvae.commands.train"),
    output:
        model=RUN.model_spec,
        weights=RUN.weights,
        history=RUN.history,
        cost=RUN.training,
    log:
        "logs/{experiment}/{model}/seed-{seed}/train.log",
    benchmark:
        "logs/{experiment}/{model}/seed-{seed}/train.benchmark.tsv"
    priority: 1  # trainings take longest, so that they start first
    threads: PLAN.threads
    resources:
        **needs(PLAN.gpus),
    params:
        PLAN.training,
    shell:
        command("train", OF_RUN)
