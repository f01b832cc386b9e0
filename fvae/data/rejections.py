"""Why an image cannot be used."""

from __future__ import annotations


class Rejected(Exception):
    """An image that cannot be used, and why."""


class TooSmall(Rejected):
    """An image whose crop is smaller than wanted; `edge` is the crop's side in pixels."""

    def __init__(self, edge: int, size: int) -> None:
        super().__init__(f"the crop of {edge} pixels is smaller than {size}")
        self.edge = edge
