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
    threads: 1024  # Snakemake gives as many as --cores allows
    resources:
        **needs(),
    params:
        PLAN.values("data"),
        PLAN.source,
    shell:
        command("prepare")
