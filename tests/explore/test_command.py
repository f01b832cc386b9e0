"""The `explore` command: where it listens, how it ends, and what it refuses."""

import os
import signal
import socket
import threading
import urllib.request
import webbrowser

import pytest
from program import run

from fvae.commands import explore


@pytest.fixture
def interruptible():
    """A shell script starts background jobs with SIGINT ignored, and tests inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_the_page_is_served_until_it_is_interrupted(project, monkeypatch):
    pages = []

    def visit(address):
        pages.append((address, urllib.request.urlopen(address, timeout=60).read()))
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(webbrowser, "open", lambda address: threading.Thread(target=visit, args=[address]).start())
    done = run("explore", "--experiment", "demo", "--port", "0", folder=project)
    ((address, page),) = pages
    assert address.startswith("http://127.0.0.1:")
    assert b"Reconstruct" in page
    assert f"demo: {address}" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_a_port_that_is_taken_is_one_line(project):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = run("explore", "--experiment", "demo", "--port", port, "--no-browser", folder=project)
    assert done.returncode == 1
    assert done.stderr.startswith(f"fvae: --port: {port} cannot be used (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--experiment", "none"], "none"),
        (["--experiment", "demo", "--port", "99999"], "--port: 99999 cannot be used"),
    ],
)
def test_wrong_arguments_are_one_line(project, arguments, line):
    done = run("explore", *arguments, "--no-browser", folder=project)
    assert done.returncode == 1
    assert line in done.stderr


def test_a_missing_flask_is_one_line(project, monkeypatch):
    monkeypatch.setattr(explore, "find_spec", lambda name: None)
    done = run("explore", "--experiment", "demo", "--no-browser", folder=project)
    assert "the extra `explore` has it" in done.stderr
