rule train:
    input:
        images="data/{experiment}/images.npy",
        index="data/{experiment}/index.csv",
        code=code("objective.py", "flows", "models", "training", "seeding.py"),
    output:
        model=f"{RUN}/model.json",
        weights=f"{RUN}/weights.safetensors",
        history=f"{RUN}/history.csv",
        cost=f"{RUN}/training.json",
    log:
        "logs/{experiment}/{model}/seed-{seed}/train.log",
    benchmark:
        "logs/{experiment}/{model}/seed-{seed}/train.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    resources:
        gpus=lambda wildcards: experiment_of(wildcards).training.devices,
    params:
        model_slice,
        slice_of("evaluation.swd.patches"),
    shell:
        "python -m fvae train --experiment {wildcards.experiment} --model {wildcards.model} --seed {wildcards.seed}"
        " 2>&1 | (trap '' INT TERM; exec tee {log})"
