"""Tests run side by side, each worker on a core of its own: threads of several would wait for each other."""

import multiprocessing
import os

import pytest


def pytest_configure(config):
    worker = getattr(config, "workerinput", None)
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker["workerid"].removeprefix("gw")) % len(cores)]})


IMPORTED = ["fvae.commands.prepare", "fvae.commands.train"]


@pytest.fixture(scope="session")
def processes():
    """Processes that start with everything imported. Their users are one group of xdist, so that one worker does."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


@pytest.fixture
def two_cores(monkeypatch):
    """Two cores to the program, also where a worker has one, so that it starts processes."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
