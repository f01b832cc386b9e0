"""Claim (b, speed): the f-VAE converges faster than Glow, by the whole curve of its validations and by a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fvae.paper import style
from fvae.paper.claim import Claim
from fvae.paper.rules.comparison import Comparison, Refusal, compare, compare_orders
from fvae.paper.rules.draft import Draft, decide_lower
from fvae.paper.rules.measured import Measured
from fvae.paper.rules.similar import not_similar

LEAST_VALIDATIONS = 3  # of every run, in the range that all cover
AXES = ("images", "seconds")
CURVES = {"portrait_distance": "portrait distance", "swd": "SWD × 10³"}  # columns of a history, the preferred one first


@dataclass(frozen=True)
class Curve:
    """The validations of a training: a distance over images or seconds."""

    at: np.ndarray  # increasing
    distance: np.ndarray

    def level(self, start: float, end: float) -> float:
        """The geometric mean of the distance from start to end, on straight lines of its logarithm."""
        within = (self.at > start) & (self.at < end)
        at = np.concatenate([[start], self.at[within], [end]])
        logs = np.interp(at, self.at, np.log(self.distance))
        return float(np.exp(np.trapezoid(logs, at) / (end - start)))

    def reached(self, threshold: float, start: float, end: float) -> float:
        """Where the distance first falls to the threshold, on such lines: from `start` on; infinity after end."""
        below = self.distance <= threshold
        if not below.any():
            return math.inf
        first = int(below.argmax())
        if first == 0:
            return start
        logs = np.log(self.distance[first - 1 : first + 1])
        share = (logs[0] - math.log(threshold)) / (logs[0] - logs[1])
        at = float(self.at[first - 1] + share * (self.at[first] - self.at[first - 1]))
        return max(start, at) if at <= end else math.inf

    def validations(self, start: float, end: float) -> int:
        """How many lie from start to end."""
        return int(((self.at >= start) & (self.at <= end)).sum())


def drafts(measured: Measured) -> list[Draft]:
    """The claim about each f-VAE and each Glow, over images and over seconds, by level and by threshold."""
    claims = measured.experiment.claims
    pairs = [(ours, theirs) for ours in claims.fvae for theirs in claims.glow]
    models = sorted({model for pair in pairs for model in pair})
    histories = {model: measured.histories[model] for model in models}
    column = which_curve([history for found in histories.values() for history in found])
    return [
        draft
        for ours, theirs in pairs
        for axis in AXES
        for draft in drafts_over(measured, {model: histories[model] for model in (ours, theirs)}, column, axis)
    ]


def which_curve(histories: Sequence[pd.DataFrame]) -> str:
    """The portrait distance where every run has it, else SWD."""
    preferred, other = CURVES
    has_it = histories and all(preferred in each and bool(each[preferred].notna().any()) for each in histories)
    return preferred if has_it else other


def drafts_over(
    measured: Measured, histories: dict[str, list[pd.DataFrame]], column: str, axis: str
) -> tuple[Draft, Draft]:
    """The claim about two models over one of the axes: by level, and by threshold."""
    ours, theirs = histories
    models = f"({style.label(ours)} against {style.label(theirs)})"
    threshold = getattr(measured.experiment.claims.threshold, column)
    level, arrival = comparisons(measured, histories, column, axis, threshold)
    by_level = Claim(
        f"b, level over {axis}",
        f"The f-VAE converges faster than Glow, over {axis} {models}",
        f"the mean of log {CURVES[column]} of the validations, over the {axis} that all runs cover, is significantly "
        "lower and not equal within 5 %",
    )
    by_threshold = Claim(
        f"b, {axis} to the threshold",
        f"The f-VAE needs fewer {axis} than Glow until a fixed distance {models}",
        f"{axis} until {CURVES[column]} {threshold:g} on the curve of the validations; exact rank test over seeds, in "
        "which runs that are not there within the range that all cover are the last",
    )
    return Draft(by_level, [level], decide_lower), Draft(by_threshold, [arrival], decide_lower)


def comparisons(
    measured: Measured, histories: dict[str, list[pd.DataFrame]], column: str, axis: str, threshold: float
) -> tuple[Comparison, Comparison]:
    """The level of the curves, and where they reach the threshold."""
    ours, theirs = histories
    measures = f"mean {CURVES[column]} over {axis}", f"{axis} until {CURVES[column]} {threshold:g}"
    refusal = unusable(histories, column, axis) or not_similar(measured, ours, theirs)
    if axis == "seconds":
        refusal = refusal or other_devices(measured, ours, theirs)
    none: dict[str, list[float | None]] = {model: [None] * len(found) for model, found in histories.items()}
    if refusal:
        level = compare(ours, theirs, measures[0], none, refusal=refusal)
        return level, compare_orders(ours, theirs, measures[1], none, (0, 0), refusal)

    curves = {
        model: [Curve(each[axis].to_numpy(float), each[column].to_numpy(float)) for each in found]
        for model, found in histories.items()
    }
    both = [curve for found in curves.values() for curve in found]
    start, end = max(float(curve.at[0]) for curve in both), min(float(curve.at[-1]) for curve in both)
    levels = none
    if start < end:
        levels = {model: [curve.level(start, end) for curve in found] for model, found in curves.items()}
    too_few = None
    if min(curve.validations(start, end) for curve in both) < LEAST_VALIDATIONS:
        too_few = Refusal(
            f"Fewer than {LEAST_VALIDATIONS} validations of a run lie in the range that all runs cover.",
            "More validations in each training.",
        )
    times = {model: [curve.reached(threshold, start, end) for curve in found] for model, found in curves.items()}
    return (
        compare(ours, theirs, measures[0], levels, refusal=too_few),
        compare_orders(ours, theirs, measures[1], times, (start, end), too_few),
    )


def unusable(histories: dict[str, list[pd.DataFrame]], column: str, axis: str) -> Refusal | None:
    """A curve with a distance that is missing, not finite or not positive, or an axis that does not increase."""
    for model, found in histories.items():
        for each in found:
            distance, at = each[column].to_numpy(float), each[axis].to_numpy(float)
            if not (np.isfinite(distance).all() and (distance > 0).all()):
                reason = f"A validation of {style.label(model)} has no finite and positive {CURVES[column]}."
                return Refusal(reason, "Validations of every run.")
            if not (np.diff(at) > 0).all():
                return Refusal(f"The {axis} of {style.label(model)} do not increase.", "Validations of every run.")
    return None


def other_devices(measured: Measured, ours: str, theirs: str) -> Refusal | None:
    """Seconds of different devices."""
    devices = style.devices(cost for model in (ours, theirs) for cost in measured.costs[model])
    if len(devices) > 1:
        return Refusal(f"The runs were trained on different devices: {', '.join(devices)}.", "One device for all runs.")
    return None
