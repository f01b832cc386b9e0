"""A map over processes that reads only a little ahead."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from threading import Thread
from typing import TypeVar

CHUNK = 32  # items that travel together
FEW = 128  # items for which no processes are started

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The function's results in order, computed on all cores; memory does not grow with the number of items.

    Pillow decodes under Python's lock, so these are processes, which must be able to import the function.
    """
    items = iter(items)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    first = list(islice(items, FEW))
    if cores == 1 or len(first) < FEW:
        yield from map(function, first)
        yield from map(function, items)
        return

    def chunks() -> Iterator[list[Item]]:
        for start in range(0, FEW, CHUNK):
            yield first[start : start + CHUNK]
        while chunk := list(islice(items, CHUNK)):
            yield chunk

    # A fork is there at once, and its child only decodes: it touches no thread or lock of the parent's libraries.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    queue: deque[Future[list[Result]]] = deque()
    pool = ProcessPoolExecutor(cores, mp_context=context, initializer=_end_with_the_parent)
    try:
        for chunk in chunks():
            queue.append(pool.submit(_each, function, chunk))
            if len(queue) > 2 * cores:
                yield from queue.popleft().result()
        while queue:
            yield from queue.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _each(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def _end_with_the_parent() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
