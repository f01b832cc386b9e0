rule data:
    input:
        images="data/{experiment}/images.npy",
        manifest="data/{experiment}/manifest.json",
        code=code("paper/data.py", "paper/style.py"),
    output:
        **figure("data"),
    log:
        "logs/{experiment}/data.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure data --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule structures:
    input:
        code=code("paper/structures.py", "paper/style.py"),
    output:
        **figure("structures"),
    log:
        "logs/{experiment}/structures.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
        models_slice,
    shell:
        "python -m fvae figure structures --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule comparison:
    input:
        images="data/{experiment}/images.npy",
        samples=runs("samples/random.npy"),
        code=code("paper/comparison.py", "paper/style.py"),
    output:
        **figure("comparison"),
    log:
        "logs/{experiment}/comparison.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
        models_slice,
    shell:
        "python -m fvae figure comparison --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule samples:
    input:
        runs("samples/sheets.npy", "shown"),
        code=code("paper/samples.py", "paper/style.py"),
    output:
        **figure("samples"),
    log:
        "logs/{experiment}/samples.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure samples --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule interpolation:
    input:
        runs("samples/pairs.npy", "shown"),
        code=code("paper/interpolation.py", "paper/style.py"),
    output:
        **figure("interpolation"),
    log:
        "logs/{experiment}/interpolation.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure interpolation --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule interpolation_four:
    input:
        runs("samples/quads.npy", "shown"),
        code=code("paper/interpolation_four.py", "paper/style.py"),
    output:
        **figure("interpolation_four"),
    log:
        "logs/{experiment}/interpolation_four.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure interpolation_four --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule temperature:
    input:
        runs("samples/temperatures.npy", "shown"),
        runs("metrics/temperature.json", "shown"),
        code=code("paper/temperature.py", "paper/style.py"),
    output:
        **figure("temperature"),
    log:
        "logs/{experiment}/temperature.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure temperature --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule reconstructions:
    input:
        runs("samples/reconstructions.npy"),
        code=code("paper/reconstructions.py", "paper/style.py"),
    output:
        **figure("reconstructions"),
    log:
        "logs/{experiment}/reconstructions.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure reconstructions --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule spectra:
    input:
        runs("metrics/sharpness.json"),
        code=code("paper/spectra.py", "paper/style.py"),
    output:
        **figure("spectra"),
    log:
        "logs/{experiment}/spectra.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure spectra --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule neighbours:
    input:
        runs("samples/random.npy", "shown"),
        images="data/{experiment}/images.npy",
        code=code("paper/neighbours.py", "paper/style.py"),
    output:
        **figure("neighbours"),
    log:
        "logs/{experiment}/neighbours.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure neighbours --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule curves:
    input:
        runs("history.csv"),
        code=code("paper/curves.py", "paper/style.py"),
    output:
        **figure("curves"),
    log:
        "logs/{experiment}/curves.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("figures"),
    shell:
        "python -m fvae figure curves --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule sizes:
    input:
        runs("training.json"),
        code=code("paper/sizes.py", "paper/table.py"),
    output:
        **table("sizes"),
    log:
        "logs/{experiment}/sizes.log",
    conda:
        "../envs/fvae.yaml"
    params:
        models_slice,
    shell:
        "python -m fvae table sizes --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule metrics:
    input:
        runs("metrics/bpd.json"),
        runs("metrics/swd.json"),
        runs("metrics/fid.json"),
        runs("metrics/sharpness.json"),
        code=code("paper/metrics.py", "paper/table.py"),
    output:
        **table("metrics"),
    log:
        "logs/{experiment}/metrics.log",
    conda:
        "../envs/fvae.yaml"
    shell:
        "python -m fvae table metrics --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule fidelity:
    input:
        runs("metrics/fid.json"),
        code=code("paper/fidelity.py", "paper/table.py"),
    output:
        **table("fidelity"),
    log:
        "logs/{experiment}/fidelity.log",
    conda:
        "../envs/fvae.yaml"
    params:
        slice_of("sampling.random.temperature"),
    shell:
        "python -m fvae table fidelity --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule claims:
    input:
        runs("metrics/bpd.json"),
        runs("metrics/swd.json"),
        runs("metrics/fid.json"),
        runs("metrics/sharpness.json"),
        runs("history.csv"),
        runs("training.json"),
        metric_of_kinds("special_case", "vae", "flow"),
        code=code("paper/claims.py"),
    output:
        json="results/{experiment}/claims.json",
        md=report(
            "results/{experiment}/claims.md",
            caption="../report/claims.rst",
            category="{experiment}",
            labels={"claims": "decided"},
        ),
    log:
        "logs/{experiment}/claims.log",
    conda:
        "../envs/fvae.yaml"
    params:
        models_slice,
    shell:
        "python -m fvae claims --experiment {wildcards.experiment} 2>&1 | tee {log}"


rule article:
    input:
        expand("paper_figures/{{experiment}}/{name}.pdf", name=list(FIGURES)),
        expand("results/{{experiment}}/tables/{name}.md", name=TABLES),
        "results/{experiment}/claims.json",
        template="fvae/paper/article.typ",
        code=code("paper/article.py"),
    output:
        report(
            "paper_figures/{experiment}/paper.pdf",
            caption="../report/article.rst",
            category="{experiment}",
            labels={"paper": "all tables, figures and claims"},
        ),
    log:
        "logs/{experiment}/article.log",
    conda:
        "../envs/fvae.yaml"
    shell:
        "python -m fvae article --experiment {wildcards.experiment} 2>&1 | tee {log}"
