rule prepare:
    input:
        code=code("fvae.commands.prepare"),
    output:
        images=IMAGES,
        index=INDEX,
        rejected=layout.data("{experiment}") / "rejected.csv",
        manifest=MANIFEST,
    log:
        "logs/{experiment}/prepare.log",
    benchmark:
        "logs/{experiment}/prepare.benchmark.tsv"
    threads: ALL_CORES
    resources:
        **needs(),
    params:
        PLAN.values("data"),
        PLAN.source,
    shell:
        command("prepare")
