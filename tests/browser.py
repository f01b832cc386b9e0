"""A headless Chromium, as Debian packages it, and the page in it."""

import shutil
import threading
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import make_server

expect.set_options(timeout=30_000)  # milliseconds; machines of tests are busy
PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def chromium():
    """The program's path. Skips the test where there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    return found


@contextmanager
def running_browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        yield browser
        browser.close()


@contextmanager
def served(app):
    """The page's address while a thread serves it."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/"
    server.shutdown()
    thread.join()


def opened(page, address, tab):
    """Open a tab by its address, and wait until it shows what it computes: the panel."""
    page.goto("about:blank")
    page.goto(f"{address}#{tab.lower()}")
    settled(page)
    return page.get_by_role("tabpanel", name=tab)


def settled(page):
    """Wait until nothing is computed any more."""
    expect(page.locator("#status")).to_have_text("Ready.")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
