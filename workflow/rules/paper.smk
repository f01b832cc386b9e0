# Each figure: files of its experiment, and files of each training that it shows, which fvae/paper/__init__.py names.
FIGURE_INPUTS = {
    "data": ([[IMAGES, MANIFEST]], []),
    "structures": ([PLAN.model_files], []),
    "comparison": ([[IMAGES, INDEX], PLAN.model_files], [samples("random")]),
    "samples": ([], [samples("sheets")]),
    "interpolation": ([], [samples("interpolation"), metric("interpolation")]),
    "interpolation_four": ([], [samples("interpolation_four")]),
    "temperature": ([], [samples("temperatures"), metric("temperature")]),
    "neighbours": ([[IMAGES, INDEX]], [samples("random")]),
    "what_the_flow_adds": ([], [samples("sources"), metric("sources")]),
    "grain": ([], [samples("grain"), metric("grain")]),
    "spectra": ([], [metric("sharpness")]),
    "reconstructions": ([], [samples("reconstructions")]),
    "curves": ([], [history]),
    "factors": ([], [metric("portrait_distance")]),
    "corruptions": ([[layout.corruptions("{experiment}")]], []),
}
TABLE_INPUTS = {
    "sizes": [PLAN.runs(training), PLAN.model_files],
    "metrics": [
        PLAN.runs(
            *map(metric, ("bpd", "swd", "portrait_distance", "random_features")),
            *map(metric, ("fid", "sharpness")),
        ),
        [layout.floor("{experiment}")],
    ],
    "fidelity": [PLAN.runs(metric("fid")), [layout.floor("{experiment}")]],
    "random_features": [
        PLAN.runs(metric("random_features")),
        [layout.floor("{experiment}")],
    ],
}

for name, (of_experiment, of_trainings) in FIGURE_INPUTS.items():

    rule:
        name:
            name
        input:
            *of_experiment,
            PLAN.shown_by(name, *of_trainings),
            code=code(f"fvae.paper.{name}"),
        output:
            pdf=layout.figure("{experiment}", name, "pdf"),
            png=in_report(layout.figure("{experiment}", name, "png"), "Figures", name),
        log:
            f"logs/{{experiment}}/{name}.log",
        params:
            PLAN.values("figures", "match", "training.images"),
            caption=caption(name),
            command=f"figure {name}",  # Snakemake evaluates `shell` later, when the loop has ended
        shell:
            command("{params.command}")


for name, files in TABLE_INPUTS.items():

    rule:
        name:
            name
        input:
            *files,
            code=code(f"fvae.paper.{name}"),
        output:
            csv=in_report(layout.table("{experiment}", name, "csv"), "Tables", name),
            md=layout.table("{experiment}", name, "md"),
            tex=layout.table("{experiment}", name, "tex"),
        log:
            f"logs/{{experiment}}/{name}.log",
        params:
            PLAN.values("match", "training.images", "sampling.random"),
            caption=caption(name),
            name=name,
        shell:
            command("table {params.name}")


rule claims:
    input:
        PLAN.runs(
            *map(metric, ("swd", "fid", "sharpness", "portrait_distance")),
            history,
            training,
        ),
        PLAN.runs(metric("special_case"), kinds=("vae", "flow")),
        PLAN.model_files,
        MANIFEST,
        layout.floor("{experiment}"),
        code=code("fvae.paper.claims"),
    output:
        json=layout.claims("{experiment}", "json"),
        md=in_report(layout.claims("{experiment}", "md"), "Claims", "verdicts"),
    log:
        "logs/{experiment}/claims.log",
    params:
        PLAN.values("claims", "training.devices", "training.hold_out"),
        caption=caption("claims"),
    shell:
        command("claims")


rule article:
    input:
        PLAN.figures,
        [layout.table("{experiment}", name, "md") for name in TABLES],
        layout.claims("{experiment}", "json"),
        template="fvae/paper/article.typ",
        code=code("fvae.paper.article"),
    output:
        in_report(layout.figure("{experiment}", "paper", "pdf"), "All in one", "paper"),
    log:
        "logs/{experiment}/article.log",
    params:
        caption=caption("article"),
    shell:
        command("article")
