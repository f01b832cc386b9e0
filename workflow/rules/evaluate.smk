rule sample:
    input:
        weights=f"{RUN}/weights.safetensors",
        images="data/{experiment}/images.npy",
        code=code("evaluation/sampling.py"),
    output:
        f"{RUN}/samples/{{task}}.npy",
    log:
        "logs/{experiment}/{model}/seed-{seed}/sample-{task}.log",
    benchmark:
        "logs/{experiment}/{model}/seed-{seed}/sample-{task}.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    params:
        slice_of("sampling.{task}", "sampling.batch_norm"),
    shell:
        "python -m fvae sample {wildcards.task} --experiment {wildcards.experiment} --model {wildcards.model}"
        " --seed {wildcards.seed} 2>&1 | tee {log}"


rule bits_per_dim:
    input:
        weights=f"{RUN}/weights.safetensors",
        images="data/{experiment}/images.npy",
        code=code("objective.py", "evaluation/likelihood.py", "evaluation/metrics.py"),
    output:
        f"{RUN}/metrics/bpd.json",
    log:
        "logs/{experiment}/{model}/seed-{seed}/bpd.log",
    benchmark:
        "logs/{experiment}/{model}/seed-{seed}/bpd.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    params:
        slice_of("evaluation.bpd"),
    shell:
        "python -m fvae evaluate bpd --experiment {wildcards.experiment} --model {wildcards.model}"
        " --seed {wildcards.seed} 2>&1 | tee {log}"


rule sliced_wasserstein:
    input:
        samples=f"{RUN}/samples/random.npy",
        images="data/{experiment}/images.npy",
        code=code("evaluation/swd.py", "evaluation/metrics.py"),
    output:
        f"{RUN}/metrics/swd.json",
    log:
        "logs/{experiment}/{model}/seed-{seed}/swd.log",
    benchmark:
        "logs/{experiment}/{model}/seed-{seed}/swd.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    params:
        slice_of("evaluation.swd"),
    shell:
        "python -m fvae evaluate swd --experiment {wildcards.experiment} --model {wildcards.model}"
        " --seed {wildcards.seed} 2>&1 | tee {log}"


rule sharpness:
    input:
        weights=f"{RUN}/weights.safetensors",
        samples=f"{RUN}/samples/random.npy",
        images="data/{experiment}/images.npy",
        code=code("evaluation/sharpness.py", "evaluation/metrics.py"),
    output:
        f"{RUN}/metrics/sharpness.json",
    log:
        "logs/{experiment}/{model}/seed-{seed}/sharpness.log",
    benchmark:
        "logs/{experiment}/{model}/seed-{seed}/sharpness.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    params:
        slice_of("evaluation.sharpness"),
    shell:
        "python -m fvae evaluate sharpness --experiment {wildcards.experiment} --model {wildcards.model}"
        " --seed {wildcards.seed} 2>&1 | tee {log}"


rule temperature_swd:
    input:
        samples=f"{RUN}/samples/temperatures.npy",
        images="data/{experiment}/images.npy",
        code=code("evaluation/swd.py", "evaluation/metrics.py"),
    output:
        f"{RUN}/metrics/temperature.json",
    log:
        "logs/{experiment}/{model}/seed-{seed}/temperature.log",
    benchmark:
        "logs/{experiment}/{model}/seed-{seed}/temperature.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    params:
        slice_of("evaluation.swd.patches"),
    shell:
        "python -m fvae evaluate temperature --experiment {wildcards.experiment} --model {wildcards.model}"
        " --seed {wildcards.seed} 2>&1 | tee {log}"


rule special_case:
    input:
        weights=f"{RUN}/weights.safetensors",
        images="data/{experiment}/images.npy",
        code=code("objective.py", "evaluation/special_cases.py"),
    output:
        f"{RUN}/metrics/special_case.json",
    log:
        "logs/{experiment}/{model}/seed-{seed}/special_case.log",
    conda:
        "../envs/fvae.yaml"
    shell:
        "python -m fvae evaluate special_case --experiment {wildcards.experiment} --model {wildcards.model}"
        " --seed {wildcards.seed} 2>&1 | tee {log}"


rule inception_weights:
    input:
        [str(PARAMS.inception.path)] if PARAMS.inception.path else [],
    output:
        "data/inception/status.json",
    log:
        "logs/inception.log",
    conda:
        "../envs/fvae.yaml"
    params:
        str(PARAMS.inception.path),
    shell:
        "python -m fvae inception 2>&1 | tee {log}"


rule reference:
    input:
        images="data/{experiment}/images.npy",
        index="data/{experiment}/index.csv",
        inception="data/inception/status.json",
        code=code("evaluation/fid.py", "evaluation/reference.py"),
    output:
        "results/{experiment}/reference.npz",
    log:
        "logs/{experiment}/reference.log",
    benchmark:
        "logs/{experiment}/reference.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    params:
        slice_of("evaluation.fid.mode"),
    shell:
        "python -m fvae reference --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule frechet:
    input:
        samples=f"{RUN}/samples/random.npy",
        reference="results/{experiment}/reference.npz",
        inception="data/inception/status.json",
        code=code(
            "evaluation/fid.py", "evaluation/fidelity.py", "evaluation/metrics.py"
        ),
    output:
        f"{RUN}/metrics/fid.json",
    log:
        "logs/{experiment}/{model}/seed-{seed}/fid.log",
    benchmark:
        "logs/{experiment}/{model}/seed-{seed}/fid.benchmark.tsv"
    conda:
        "../envs/fvae.yaml"
    threads: ALL_CORES
    params:
        slice_of("evaluation.fid"),
    shell:
        "python -m fvae evaluate fid --experiment {wildcards.experiment} --model {wildcards.model}"
        " --seed {wildcards.seed} 2>&1 | tee {log}"
