"""A map over processes that reads only a little ahead."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from threading import Thread
from typing import TypeVar

import torch

from fvae.errors import UserError

CHUNK, CHUNK_BYTES = 32, 2**23  # what travels together: so many items, or bytes
FEW = 4  # chunks for which no processes are started
MOST_BYTES = 2**29  # on their way at once

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(
    function: Callable[[Item], Result], items: Iterable[Item], weight: Callable[[Item], int] = lambda _: 0
) -> Iterator[Result]:
    """The function's results in order, computed on all cores; memory does not grow with the number of items.

    `weight` says how many bytes an item and its result take. Pillow decodes under Python's lock, so these are
    processes, which must be able to import the function. Raises UserError where one of them is killed.
    """
    chunks = _chunks(items, weight)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    first = list(islice(chunks, FEW if cores > 1 else 1))
    if cores == 1 or len(first) < FEW:
        for chunk, _ in chain(first, chunks):
            yield from map(function, chunk)
        return

    # A fork is there at once. Its child works in one thread: it cannot use those of the parent's libraries.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    queue: deque[tuple[Future[list[Result]], int]] = deque()
    held = 0  # bytes
    pool = ProcessPoolExecutor(cores, mp_context=context, initializer=_one_of_many)
    try:
        for chunk, heavy in chain(first, chunks):
            queue.append((pool.submit(_each, function, chunk), heavy))
            held += heavy
            while len(queue) > 2 * cores or held > MOST_BYTES:
                future, heavy = queue.popleft()
                yield from future.result()
                held -= heavy
        while queue:
            yield from queue.popleft()[0].result()
    except BrokenProcessPool as error:
        raise UserError(
            "a process that decodes images was killed, perhaps for want of memory; run it again to go on"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _chunks(items: Iterable[Item], weight: Callable[[Item], int]) -> Iterator[tuple[list[Item], int]]:
    """The items in lists that travel together, each with its weight in bytes."""
    chunk: list[Item] = []
    heavy = 0
    for item in items:
        chunk.append(item)
        heavy += weight(item)
        if len(chunk) == CHUNK or heavy >= CHUNK_BYTES:
            yield chunk, heavy
            chunk, heavy = [], 0
    if chunk:
        yield chunk, heavy


def _each(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def _one_of_many() -> None:
    """Keep to one core, leave Ctrl-C to the parent, and do not outlive it when it is killed."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
