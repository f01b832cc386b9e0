"""Distances of corrupted real images, relative to those of real images as they are."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from fvae.paper import style
from fvae.params import Experiment
from fvae.results import read_corruptions

NAMES = {  # of the distances that are shown, and how the legend names them
    "portrait_distance": "portrait distance",
    "swd": "SWD",
    "random_features_frechet": "Fréchet distance, random features",
}
ACROSS = 3


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """A panel for each corruption: over its strength each distance, divided by its floor."""
    found = read_corruptions(experiment_name)
    shown = [name for name in NAMES if name in found["floor"]]
    figure, panels = style.stack(len(found["corruptions"]), experiment, 0.62, across=ACROSS, lines=3, footer=2)
    for axes in panels[1:]:
        axes.sharey(panels[0])
    for index, (axes, (name, corruption)) in enumerate(zip(panels, found["corruptions"].items(), strict=False)):
        axes.axhline(1, color=style.GREY, linewidth=0.8)
        for place, distance in enumerate(shown):
            values = [value / found["floor"][distance]["mean"] for value in corruption["distances"][distance]]
            axes.plot(
                corruption["strengths"],
                values,
                color=style.COLOURS[place],
                linestyle=style.LINES[place],
                marker=style.MARKERS[place],
                markersize=3,
                label=NAMES[distance],
            )
        axes.set_title(name.replace("_", " "))
        axes.set_xlabel(corruption["unit"])
        scales(axes, corruption["strengths"])
        if index % ACROSS == 0:
            axes.set_ylabel("distance / floor")
    for axes in panels[len(found["corruptions"]) :]:
        axes.set_axis_off()
    lines, labels = panels[0].get_legend_handles_labels()
    style.legend(figure, lines, labels, columns=len(labels))
    return figure


def scales(axes: Axes, strengths: list[float]) -> None:
    """Logarithmic axes, with plain numbers at every other strength."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    plain = FuncFormatter(lambda value, place: f"{value:g}")
    axes.xaxis.set_major_locator(FixedLocator(strengths[1::2]))
    axes.xaxis.set_major_formatter(plain)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator())
    axes.yaxis.set_major_formatter(plain)
    axes.yaxis.set_minor_locator(NullLocator())
