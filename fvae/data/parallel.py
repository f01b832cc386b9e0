"""A parallel map whose memory does not grow with the number of items."""

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

from fvae.errors import UserError

CHUNK_ITEMS = 32  # a chunk, which goes to a process as a whole, ends at so many items, unless the caller says otherwise
CHUNK_BYTES = 2**23  # or at so many bytes
MIN_CHUNKS = 4  # for fewer chunks no processes are started
MAX_BYTES = 2**29  # of the chunks that wait for a process or for their turn

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    size: Callable[[Item], int] = lambda _: 0,
    chunk_items: int = CHUNK_ITEMS,
) -> Iterator[Result]:
    """The function's results in the order of the items, computed on all cores.

    `size` says how many bytes an item and its result take; a process is given at most `chunk_items` at once. Pillow
    decodes under Python's global lock, and portraits are drawn in many short steps of NumPy, so processes are used, not
    threads; they must be able to import the function. Raises UserError where one of them is killed.
    """
    chunks = _chunks(items, size, chunk_items)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    first = list(islice(chunks, MIN_CHUNKS if cores > 1 else 1))
    if cores == 1 or len(first) < MIN_CHUNKS:
        for chunk, _ in chain(first, chunks):
            yield from map(function, chunk)
        return

    # Forking takes no time. The child uses one thread: it cannot use the threads of the parent's libraries.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    queue: deque[tuple[Future[list[Result]], int]] = deque()
    queued_bytes = 0
    pool = ProcessPoolExecutor(cores, mp_context=context, initializer=_start_worker)
    try:
        for chunk, chunk_bytes in chain(first, chunks):
            queue.append((pool.submit(_map_chunk, function, chunk), chunk_bytes))
            queued_bytes += chunk_bytes
            while len(queue) > 2 * cores or queued_bytes > MAX_BYTES:
                future, done_bytes = queue.popleft()
                yield from future.result()
                queued_bytes -= done_bytes
        while queue:
            yield from queue.popleft()[0].result()
    except BrokenProcessPool as error:
        raise UserError(
            "a process that prepares images was killed, perhaps for want of memory; run it again to go on"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _chunks(items: Iterable[Item], size: Callable[[Item], int], chunk_items: int) -> Iterator[tuple[list[Item], int]]:
    """The items in chunks, each with its size in bytes."""
    chunk: list[Item] = []
    chunk_bytes = 0
    for item in items:
        chunk.append(item)
        chunk_bytes += size(item)
        if len(chunk) == chunk_items or chunk_bytes >= CHUNK_BYTES:
            yield chunk, chunk_bytes
            chunk, chunk_bytes = [], 0
    if chunk:
        yield chunk, chunk_bytes


def _map_chunk(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def _start_worker() -> None:
    """Use one core, leave Ctrl-C to the parent, and end when the parent is killed."""
    if "torch" in sys.modules:  # which is not loaded where portraits are drawn
        sys.modules["torch"].set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    Thread(target=end_with_parent, daemon=True).start()
