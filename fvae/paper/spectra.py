"""Power spectra of samples beside those of real images: where a model is blurred, and where it is noisy."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from fvae import layout
from fvae.files import read_json
from fvae.paper import style
from fvae.params import Experiment


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """Radially averaged power of each model's samples, the mean over seeds, and of test images; their ratio in dB."""
    from matplotlib.pyplot import subplots

    width = experiment.figures.width
    figure, (power, ratio) = subplots(1, 2, figsize=(width, 0.42 * width))
    for index, name in enumerate(experiment.models):
        runs = [
            read_json(layout.Run(experiment_name, name, seed).metric("sharpness"), "evaluate sharpness")["spectrum"]
            for seed in experiment.seeds
        ]
        radius, real = (np.array(runs[0][key][1:]) for key in ("radius", "test"))  # without the mean
        samples = np.mean([run["samples"][1:] for run in runs], axis=0)
        look = {"color": style.COLOURS[index], "linestyle": style.LINES[index]}
        power.plot(radius, samples, label=style.label(name), **look)
        ratio.plot(radius, 10 * np.log10(samples / real), **look)
    power.plot(radius, real, color="black", linewidth=0.8, label="test images")
    ratio.axhline(0, color="black", linewidth=0.8)
    power.set_yscale("log")
    power.set_ylabel("power")
    ratio.set_ylabel("dB beside test images")
    for axes in (power, ratio):
        axes.set_xscale("log", base=2)
        axes.set_xlabel("cycles an image")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    lines, labels = power.get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=min(5, len(labels)))
    return figure
