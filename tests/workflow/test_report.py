"""Snakemake's report, as one opens it in a browser without a network."""

import pytest
from browser import running_browser
from playwright.sync_api import expect

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory):
    """report.html of the tiny project."""
    project = finished.copy(tmp_path_factory.mktemp("report") / "copy")
    project.ok("snakemake", "--report", "report.html")
    return project.folder / "report.html"


@pytest.fixture(scope="module")
def opened(report):
    """The report in a browser, which takes seconds; all that it asks for is in `requested`."""
    with running_browser() as browser:
        page = browser.new_context(offline=True, viewport={"width": 1440, "height": 900}).new_page()
        page.requested = []
        page.on("request", lambda request: page.requested.append(request.url))
        page.goto(report.as_uri())
        yield page


@pytest.fixture
def page(opened):
    """The report's first page, wherever a test before has left it."""
    opened.evaluate("app.setView({ navbarMode: 'menu', content: 'rulegraph' })")
    expect(opened.locator("#rulegraph canvas")).to_be_attached()
    return opened


def width(picture):
    """Of an image in the browser's pixels, once it is loaded."""
    expect(picture).to_be_visible()
    assert picture.evaluate("each => each.decode().then(() => each.naturalWidth)") > 1000
    return picture.bounding_box()["width"]


def test_the_report_has_captions_figures_and_tables(report):
    text = report.read_text()
    for part in ("Straight lines between", "samples.png", "metrics.csv", "Su &amp; Wu 2018"):
        assert part in text, part
    assert "system-message" not in text  # of docutils, in place of what it cannot read


def test_the_first_page_is_an_overview(page):
    overview = page.locator(".prose").first
    expect(overview.get_by_role("heading", name="demo")).to_be_in_viewport()
    picture = overview.get_by_role("img", name="Samples of each model of demo beside held-out images")
    expect(picture).to_be_in_viewport()
    assert width(picture) > 900
    expect(overview.locator("pre")).to_contain_text("| f-VAE")
    expect(overview).to_contain_text("VAE and flow are exact special cases of equation (6): holds.")
    assert overview.get_by_text("Rule:").count() >= 5


def test_figures_are_shown_large_with_their_rule_and_caption(page):
    for name in ("Results", "Figures"):
        page.get_by_role("link", name=name, exact=True).click()
    page.locator("tr", has_text="what the flow adds").locator("a").first.click()
    assert width(page.locator(".grow.overflow-auto img")) > 700
    page.locator("tr", has_text="what the flow adds").locator("a").last.click()
    expect(page.locator("ul", has_text="Snakemake rule").first).to_contain_text(
        "images that one decoder makes of latents"
    )


def test_run_times_are_shown_by_rule(page):
    page.get_by_role("link", name="Statistics").click()
    expect(page.locator("#runtimes canvas")).to_be_visible()
    times = page.evaluate("runtimes_spec.data.values")
    assert {"train", "claims", "article", "samples"} <= {time["rule"] for time in times}
    assert all(time["runtime"] >= 0 for time in times)


def test_no_request_leaves_the_report(page):
    page.get_by_role("link", name="Statistics").click()
    expect(page.locator("#timeline canvas")).to_be_visible()
    assert page.requested
    assert [url for url in page.requested if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_report_of_one_figure_is_made_too(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    project.ok("snakemake", "--report", "report.html", "paper_figures/demo/samples.png")
    assert "samples.png" in (project.folder / "report.html").read_text()
