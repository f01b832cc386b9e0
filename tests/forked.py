"""Processes of their own that import nothing: they are forked from one that has imported the program."""

import os
import sys
import time

import pytest

from fvae.__main__ import main

SECONDS = 120


def run(processes, said, calls):
    """Call functions side by side: their exit codes, and what they wrote on standard error, which the file `said` gets.

    `processes` is a context of multiprocessing; a call is (function, its arguments, changes of the environment). All
    have two minutes.
    """
    said.write_bytes(b"")
    started = [processes.Process(target=called, args=(said, *call)) for call in calls]
    for process in started:
        process.start()
    until = time.monotonic() + SECONDS
    for process in started:
        process.join(max(0, until - time.monotonic()))
    waiting = [process for process in started if process.is_alive()]
    for process in waiting:
        process.kill()
        process.join()
    if waiting:
        pytest.fail(f"{len(waiting)} processes have not ended: {said.read_text()}")
    return [process.exitcode for process in started], said.read_text()


def called(said, function, arguments, environment):
    """In the process."""
    with said.open("ab") as file:
        os.dup2(file.fileno(), 2)
    os.environ |= environment
    function(*arguments)


def program(folder, *arguments):
    """`python -m fvae` in a folder."""
    os.chdir(folder)
    sys.argv = ["fvae", *arguments]
    main()
