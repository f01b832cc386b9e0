"""Progress bars with a rate and the time left: live on a terminal, one line every few seconds in a log."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

LOG_SECONDS = 5.0


class progress(tqdm):
    """tqdm, which prints plain lines where standard error is not a terminal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.live = sys.stderr.isatty()
        kwargs.setdefault("mininterval", 0.1 if self.live else LOG_SECONDS)
        kwargs.setdefault("dynamic_ncols", self.live)
        super().__init__(*args, **kwargs)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Draw the bar, or print it as a line."""
        if self.live:
            super().display(msg, pos)
        elif self.n:  # a log needs no line before the first step
            print(str(self), file=sys.stderr, flush=True)
