"""Tests of training send signals: they set how processes react to them."""

import signal

import pytest


@pytest.fixture(autouse=True, scope="session")
def default_reactions_to_signals():
    """A shell script starts background jobs with SIGINT ignored, and processes inherit that from the tests."""
    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in defaults.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
