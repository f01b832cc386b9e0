"""Power spectra of samples and reconstructions beside real images': where a model is blurred, and where noisy."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from fvae import layout
from fvae.evaluation.sharpness import decibels
from fvae.paper import style
from fvae.params import Experiment
from fvae.results import read_metric


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """Radially averaged power of samples and test images, the ratio of the two, and that of reconstructions to theirs.

    Means over seeds; ratios in dB.
    """
    width = experiment.figures.width
    figure = Figure(figsize=(width, 0.42 * width))
    power, *ratios = figure.subplots(1, 3)
    ratios[1].sharey(ratios[0])
    for name, (colour, line) in style.pairs(experiment.models).items():
        runs = [read_metric(layout.Run(experiment_name, name, seed), "sharpness") for seed in experiment.seeds]
        spectra = [run["spectrum"] for run in runs]
        # Frequency 0 is left out: the axis is logarithmic.
        rings = {key: np.mean([each[key][1:] for each in spectra], axis=0) for key in spectra[0]}
        radius, real = rings["radius"], rings["test"]
        drawn = {"color": colour, "linestyle": line}
        power.plot(radius, rings["samples"], label=style.label(name), **drawn)
        ratios[0].plot(radius, decibels(rings["samples"], real), **drawn)
        ratios[1].plot(radius, decibels(rings["reconstructions"], rings["reconstructed"]), **drawn)
    power.plot(radius, real, color="black", linewidth=0.8, label="test images")
    power.set_yscale("log")
    power.set_title("power of samples")
    ratios[0].set_title("samples / test images, dB")
    ratios[1].set_title("reconstr. / test images, dB")
    for axes in ratios:
        axes.axhline(0, color="black", linewidth=0.8)
    for axes in (power, *ratios):
        axes.set_xscale("log", base=2)
        axes.set_xlabel("cycles per image")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    lines, labels = power.get_legend_handles_labels()
    style.legend(figure, lines, labels, columns=5)
    return figure
