"""Draw the screenshots of docs/explore.md, one for each tab.

The page has to be served, by `python -m fvae explore --experiment study --no-browser`. Then:

    python docs/screenshots.py
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

TABS = ("samples", "interpolate", "reconstruct", "directions", "training")
COLOURS = 256  # of a file, so that it is small


def main(
    address: Annotated[str, typer.Option(help="Where the page is served.")] = "http://127.0.0.1:8000/",
    folder: Annotated[Path, typer.Option(help="Where the files are written.")] = Path("docs/explore"),
    width: Annotated[int, typer.Option(help="Of the window, in pixels.")] = 1280,
    dark: Annotated[bool, typer.Option("--dark", help="In dark colours.")] = False,
) -> None:
    """Open each tab in Chromium, set its controls, and write FOLDER/TAB.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(
            viewport={"width": width, "height": 500}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )
        for tab in TABS:
            page.goto("about:blank")
            page.goto(f"{address}#{tab}")
            settle(page)
            use(page, tab)
            save(page.screenshot(full_page=True), folder / f"{tab}.png")
        browser.close()


def settle(page: Page) -> None:
    """Wait until nothing is computed any more."""
    page.wait_for_timeout(500)  # within which a control asks for something
    expect(page.locator("#status")).to_have_text("Ready.", timeout=120_000)
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=120_000)


def use(page: Page, tab: str) -> None:
    """Set the controls of a tab to something worth seeing."""
    if tab == "directions":
        page.get_by_role("button", name="held-out image 1", exact=True).click()
        page.get_by_label("glasses").fill("1.5")
        page.get_by_label("beard").fill("1.5")
    elif tab == "training":
        page.get_by_role("slider").press("Home")
        page.get_by_role("slider").press("ArrowRight")
    settle(page)
    page.evaluate("document.activeElement.blur()")


def save(screenshot: bytes, path: Path) -> None:
    """Write a screenshot with few colours."""
    image = Image.open(io.BytesIO(screenshot)).convert("RGB")
    image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    typer.run(main)
