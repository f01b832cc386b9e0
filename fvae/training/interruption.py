"""SIGTERM and SIGINT as a wish to stop after a step, not in the middle of it."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interruption:
    """Within it these signals are only noted: `number` is that of the last one, 0 before any."""

    def __init__(self) -> None:
        self.number = 0

    def __enter__(self) -> Self:
        self.before = [(number, signal.signal(number, self._note)) for number in SIGNALS]
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before:
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
