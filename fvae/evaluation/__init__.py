"""What is sampled from trained models and measured of them: likelihood, FID and related distances, sharpness.

Importing this package imports no PyTorch: the commands read the lists of names from here.
"""

TASKS = (  # see `sampling.generate`
    *("random", "sheets", "temperatures", "reconstructions"),
    *("interpolation", "interpolation_four", "sources", "grain"),
)
METRIC_OF = {  # the metric that is measured of a task's images and of nothing else, where there is one
    "temperatures": "temperature",
    "interpolation": "interpolation",
    "sources": "sources",
    "grain": "grain",
}
SOURCES = ("standard", "marginals", "gaussian", "flow")  # of latents, see `latent_sources.images_of_sources`
METRICS = (
    "bpd",
    "swd",
    "portrait_distance",
    "random_features",
    "fid",
    "sharpness",
    "temperature",
    "special_case",
    "sources",
    "grain",
    "interpolation",
)  # modules of fvae.evaluation.metrics
