"""F2: the structures of the configured models, all drawn in one way."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from fvae.paper import style
from fvae.params import (
    AutoregressiveSteps,
    ConvEncoder,
    Experiment,
    FlowSpec,
    ModelSpec,
    PlanarSteps,
    ResidualEncoder,
)
from fvae.results import read_matched

WIDTH, HEIGHT = 10.0, 2.3  # of a row, in the drawing's units
X_IMAGE, X_ENCODER, X_NOISE, X_FLOW, X_LATENT = 0.7, 2.7, 4.7, 7.0, 9.3  # columns
TOP, BOTTOM = 1.95, 0.6  # inference above, generation below


@dataclass
class Node:
    """A box, or a bare symbol, with a note in small print below it."""

    text: str
    x: float
    y: float
    note: str = ""
    boxed: bool = True


def depth(levels: int, number: int | str, parts: str) -> str:
    """Levels and their parts as printed."""
    return f"{levels} level{'s' if levels > 1 else ''} × {number} {parts}{'s' if number != 1 else ''}"


def network(name: str, settings: ResidualEncoder | ConvEncoder, x: float, y: float) -> Node:
    """E or G."""
    if isinstance(settings, ConvEncoder):
        channels = f"{settings.channels[0]} to {settings.channels[-1]} channels"
        return Node(name, x, y, f"{depth(settings.levels, settings.blocks, 'block')}\n{channels}")
    return Node(name, x, y, f"{depth(settings.levels, settings.steps, 'step')}\nexpansion {settings.expansion:g}")


def flow(name: str, settings: FlowSpec | AutoregressiveSteps | PlanarSteps, x: float, y: float) -> Node:
    """F or its inverse."""
    if not isinstance(settings, FlowSpec):
        size = f"\nwidth {settings.width}" if isinstance(settings, AutoregressiveSteps) else ""
        return Node(name, x, y, f"{settings.steps} step{'s' if settings.steps != 1 else ''}{size}")
    return Node(
        name, x, y, f"{depth(settings.levels, settings.steps, 'step')}\n{settings.coupling}, width {settings.width}"
    )


def shape(size: tuple[int, ...] | list[int]) -> str:
    """C×H×W as printed."""
    return "×".join(map(str, size))


def rows(spec: ModelSpec, size: int, latent: list[int]) -> tuple[list[Node], list[Node]]:
    """What happens to an image from left to right (inference), and to noise from right to left (generation)."""
    encoder: Any = getattr(spec, "encoder", None)
    transform: Any = getattr(spec, "flow", None)
    image = shape((3, size, size))
    above = [Node("$x$", X_IMAGE, TOP, image, boxed=False)]
    below = [Node(r"$\hat{x}$", X_IMAGE, BOTTOM, "", boxed=False)]
    gaussian = r"$\sigma(x)\otimes u+\mu(x)$"
    noise = {"flow": r"$x+\sigma u$", "fvae": r"$E(x)+\sigma_1 u$"}
    posteriors = {"mixture": "$F_{1,2}$", "planar": "$F_x$", "iaf": "$F_x$"}  # flows of z, which G decodes itself
    if encoder:
        above.append(network("$E$", encoder, X_ENCODER, TOP))
        below.append(network("$G$", encoder, X_ENCODER, BOTTOM))
    above.append(Node(noise.get(spec.kind, gaussian), X_NOISE, TOP, shape(latent)))
    if spec.kind in posteriors:
        above.append(flow(posteriors[spec.kind], transform, X_FLOW, TOP))
    elif transform:
        above.append(flow("$F$", transform, X_FLOW, TOP))
        below.append(flow("$F^{-1}$", transform, X_FLOW, BOTTOM))
    above.append(Node("$z$", X_LATENT, TOP, "", boxed=False))
    below.append(Node(r"$u\sim\mathcal{N}(0,T^2I)$", X_LATENT - 0.15, BOTTOM, "", boxed=False))
    return above, below


def draw_node(axes: Axes, node: Node, small: float) -> None:
    """The symbol, its box and its note."""
    half = 0.28 if len(node.text) < 10 else 1.05
    if node.boxed:
        box = FancyBboxPatch(
            (node.x - half, node.y - 0.24),
            2 * half,
            0.48,
            boxstyle="round,pad=0.04",
            fc="#EDF3F8",
            ec="black",
            lw=0.7,
        )
        axes.add_patch(box)
    axes.text(node.x, node.y, node.text, ha="center", va="center")
    axes.text(node.x, node.y - 0.36, node.note, ha="center", va="top", fontsize=small, color=style.GREY)


def reach(node: Node) -> float:
    """How far an arrow keeps from a node's middle."""
    if not node.boxed:
        return 0.25 if len(node.text) < 10 else 0.95
    return 0.4 if len(node.text) < 10 else 1.17


def draw_row(axes: Axes, nodes: list[Node], colour: str, line: str, small: float) -> None:
    """Nodes and the arrows between them, in the order given."""
    for node in nodes:
        draw_node(axes, node, small)
    for a, b in pairwise(nodes):
        sign = 1 if b.x > a.x else -1
        arrow = {"arrowstyle": "-|>", "color": colour, "linestyle": line, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (b.x - sign * reach(b), b.y), (a.x + sign * reach(a), a.y), arrowprops=arrow)


def draw(experiment_name: str, experiment: Experiment) -> Figure:
    """One panel per model: inference (solid) above, generation (dashed) below."""
    figures, panels = experiment.figures, len(experiment.models)
    figure = Figure(figsize=(figures.width, panels * figures.width * HEIGHT / WIDTH))
    grid = figure.subplots(panels, 1, squeeze=False)
    for axes, name in zip(grid[:, 0], experiment.models, strict=True):
        spec, size = read_matched(experiment_name, name)
        above, below = rows(spec, experiment.data.size, size["noise"])
        draw_row(axes, above, style.COLOURS[0], "-", 0.75 * figures.font_size)
        draw_row(axes, below[::-1], style.COLOURS[5], "--", 0.75 * figures.font_size)
        axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT), aspect="equal")
        axes.set_axis_off()
        costs = f"{size['parameters'] / 1e6:.2f} M parameters, {size['macs'] / 1e6:,.0f} M MACs per image"
        axes.set_title(f"{style.label(name)}: {costs}", loc="left")
    return figure
