"""The page in a real browser: Chromium, where there is one."""

import io

import pytest
from browser import opened, running_browser, served, settled
from PIL import Image
from playwright.sync_api import expect

from fvae import provenance

pytestmark = pytest.mark.xdist_group("browser")
TABS = ("Samples", "Interpolate", "Reconstruct", "Directions", "Training")
SIZE = 32  # pixels of an image of the project
UNNAMED = """controls => controls.filter(each => !(
    each.labels?.length || each.ariaLabel || each.textContent.trim() || each.querySelector('img[alt]:not([alt=""])')
)).map(each => each.outerHTML)"""


@pytest.fixture(scope="module")
def browser():
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(app):
    with served(app) as address:
        yield address


@pytest.fixture
def page(browser):
    """A page that notes what it asks for, and what goes wrong."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda message: page.wrong.append(message.text) if message.type == "error" else None)
    yield page
    page.close()


def shown(card):
    """The address of the image in a card: another one after each answer."""
    return card.locator("img").last.get_attribute("src")


def content(mode="RGB", size=(50, 40), format="PNG"):
    file = io.BytesIO()
    Image.new(mode, size).save(file, format)
    return file.getvalue()


def test_tabs_by_the_keyboard(page, address):
    opened(page, address, "Samples")
    page.get_by_role("tab", name="Samples").focus()
    for key, name in (
        ("ArrowRight", "Interpolate"),
        ("End", "Training"),
        ("ArrowRight", "Samples"),
        ("ArrowLeft", "Training"),
        ("Home", "Samples"),
    ):
        page.keyboard.press(key)
        tab = page.get_by_role("tab", name=name)
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Temperature")).to_be_focused()


@pytest.mark.parametrize("width", [1280, 400])
def test_every_tab(page, address, width):
    """Every control has a name, nothing is too wide or too small, nothing comes from elsewhere, nothing goes wrong."""
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, address, TABS[0])
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        settled(page)
        panel = page.get_by_role("tabpanel", name=tab)
        assert panel.locator("button, input, select, a").evaluate_all(UNNAMED) == []
        assert panel.locator("img:not([alt]), img[alt='']").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        widths = panel.locator("article img").evaluate_all("images => images.map(image => image.clientWidth)")
        assert min(widths) >= SIZE
    assert page.wrong == []
    assert {url.split(":")[0] for url in page.asked} <= {"http", "data", "blob", "about"}
    assert all(url.startswith(address) for url in page.asked if url.startswith("http"))


def test_samples_follow_temperature_and_seed(page, address):
    panel = opened(page, address, "Samples")
    glow = panel.locator("[data-model=glow]")
    first = shown(glow)
    expect(glow.locator("img")).to_have_attribute("alt", "12 samples of Glow at temperature 0.8, seed 0")
    panel.get_by_label("Temperature").focus()
    page.keyboard.press("ArrowRight")
    expect(glow.locator("img")).to_have_attribute("alt", "12 samples of Glow at temperature 0.85, seed 0")
    assert shown(glow) != first
    panel.get_by_role("button", name="Another seed").click()
    expect(glow.locator("img")).to_have_attribute("alt", "12 samples of Glow at temperature 0.85, seed 1")


def test_an_untrained_model_is_offered_with_its_command(page, address):
    panel = opened(page, address, "Samples")
    expect(panel.locator("[data-model=vae]")).to_contain_text("python -m fvae train --experiment demo --model vae")
    assert panel.locator("[data-model=vae] img").count() == 0


def test_samples_are_saved_with_their_provenance(page, address, tmp_path):
    panel = opened(page, address, "Samples")
    with page.expect_download() as download:
        panel.get_by_role("link", name="Save as PNG").click()
    assert download.value.suggested_filename == "demo-samples-T0.8-seed0.png"
    download.value.save_as(tmp_path / "saved.png")
    assert provenance.read(tmp_path / "saved.png")["samples"]["models"] == ["vae_dense", "glow", "fvae"]


def test_a_grid_needs_four_images(page, address):
    panel = opened(page, address, "Interpolate")
    glow = panel.locator("[data-model=glow] img")
    expect(glow).to_have_attribute("alt", "A path of 7 images a row by Glow")
    panel.get_by_label("a grid with four").check()
    expect(page.locator("#status")).to_contain_text("A grid needs four images")
    for name in ("held-out image 0", "held-out image 1"):
        panel.get_by_role("button", name=name, exact=True).press("Enter")
    expect(glow).to_have_attribute("alt", "A grid of 7 by 7 images by Glow")
    assert panel.get_by_role("button", pressed=True).all_inner_texts() == [
        "C",
        "D",
        "A",
        "B",
    ]


def test_other_images_keep_those_that_are_chosen(page, address):
    panel = opened(page, address, "Interpolate")
    panel.get_by_role("button", name="Other held-out images").click()
    expect(panel.get_by_role("button", pressed=True)).to_have_count(2)
    expect(panel.get_by_role("button", name="held-out image 17")).to_be_visible()


def test_a_reconstruction_says_its_bits(page, address):
    panel = opened(page, address, "Reconstruct")
    expect(panel.locator("[data-model=glow] > p")).to_contain_text("bits/dim, exact")
    expect(panel.locator("[data-model=fvae] > p")).to_contain_text("≤ ")
    assert panel.locator("[data-model=fvae] img").count() == 4


def test_one_s_own_images_and_bad_ones(page, address):
    panel = opened(page, address, "Reconstruct")
    files = [("me.jpg", content("CMYK", format="JPEG")), ("notes.txt", b"text"), ("tiny.png", content(size=(9, 9)))]
    panel.get_by_label("Add your own").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
    lines = panel.get_by_role("alert").get_by_role("listitem")
    expect(lines).to_have_count(3)
    assert lines.all_inner_texts() == [
        "me.jpg: CMYK, converted to RGB",
        "notes.txt: not an image that can be read here: PNG, JPEG, WebP, TIFF, BMP, GIF or AVIF",
        "tiny.png: too small: 9 pixels at its shorter side, 32 are needed",
    ]
    expect(panel.get_by_role("button", name="me.jpg")).to_have_attribute("aria-pressed", "true")


def test_an_image_is_dropped(page, address):
    panel = opened(page, address, "Interpolate")
    files = page.evaluate_handle(
        """numbers => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(numbers)], "dropped.png", {type: "image/png"}));
            return files;
        }""",
        list(content()),
    )
    panel.get_by_role("group", name="Choose two").dispatch_event("drop", {"dataTransfer": files})
    expect(panel.get_by_role("button", name="dropped.png C")).to_have_attribute("aria-pressed", "true")


def test_a_direction_moves_the_image(page, address):
    panel = opened(page, address, "Directions")
    moved = panel.locator("[data-model=fvae] img").last
    before = shown(panel.locator("[data-model=fvae]"))
    panel.get_by_label("glasses").fill("1.5")
    expect(moved).to_have_attribute("alt", "the same with glasses 1.5 added")
    assert shown(panel.locator("[data-model=fvae]")) != before
    panel.get_by_role("button", name="All to zero").click()
    expect(moved).to_have_attribute("alt", "the same with nothing added")


def test_a_film_goes_from_step_to_step(page, address):
    panel = opened(page, address, "Training")
    glow = panel.locator("[data-model=glow]")
    expect(glow).to_contain_text("24,000 images, 5.00 bits/dim")
    panel.get_by_role("slider").press("Home")
    expect(glow).to_contain_text("8,000 images, 7.00 bits/dim")
    expect(glow.locator("img")).to_have_attribute("alt", "samples of Glow after 8000 images")
    panel.get_by_label("as many seconds").check()
    expect(panel.get_by_role("slider")).to_have_attribute("aria-valuetext", "3 seconds")
    panel.get_by_label("First").select_option(label="VAE")
    expect(panel.locator("[data-model=vae]")).to_contain_text("python -m fvae train --experiment demo --model vae")
    panel.get_by_role("button", name="Play").click()
    expect(panel.get_by_role("button", name="Stop")).to_be_visible()
    expect(panel.get_by_role("button", name="Play")).to_be_visible()


def test_the_curve_is_described(page, address):
    panel = opened(page, address, "Training")
    curve = panel.get_by_role("img", name="Bits/dim during training")
    assert "Glow from 7.00 to 5.00" in curve.get_attribute("aria-label")
