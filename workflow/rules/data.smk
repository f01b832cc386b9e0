def source(wildcards):
    """The images as the user has them; none for a set that is drawn, or that is here already prepared."""
    settings = experiment_of(wildcards).data
    if not isinstance(settings, Images):
        return []
    if settings.path.exists():
        return [str(settings.path)]
    if os.path.exists(f"data/{wildcards.experiment}/manifest.json"):
        return []
    stop(
        f"experiments.{wildcards.experiment}.data.path: {settings.path} does not exist; "
        "put the archive or the folder of images there, or name another path"
    )


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
    threads: ALL_CORES
    params:
        slice_of("data"),
    shell:
        "python -m fvae prepare --experiment {wildcards.experiment} 2>&1 | tee {log}"
