rule prepare:
    input:
        source=source,
        code=code("data", "data/portraits"),
    output:
        images="data/{experiment}/images.npy",
        index="data/{experiment}/index.csv",
        rejected="data/{experiment}/rejected.csv",
        manifest="data/{experiment}/manifest.json",
    log:
        "logs/{experiment}/prepare.log",
    benchmark:
        "logs/{experiment}/prepare.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    params:
        slice_of("data"),
    shell:
        "python -m fvae prepare --experiment {wildcards.experiment} 2>&1 | tee {log}"
