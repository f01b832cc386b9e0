"""paper.pdf: what it is made of, and that the same parts are the same file."""

import json

import matplotlib.pyplot as plt
import pytest
from measurements import write_training
from pypdf import PdfReader

from fvae import layout, params, provenance
from fvae.errors import UserError
from fvae.files import write_text
from fvae.paper import FIGURES, TABLES, article, runs

EXPERIMENT = params.load("params.yaml").experiments["demo"]

CLAIM = {
    "name": "d",
    "claim": "1 # 2 $ 3",
    "test": "_a_ *b*",
    "numbers": {},
    "verdict": "holds",
    "reason": "Since `c`.",
    "evidence": ["It is *3* #times."],
    "change": "A [new] run.",
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A folder with all parts of an experiment."""
    monkeypatch.chdir(tmp_path)
    for name in TABLES:
        write_text(layout.table("demo", name, "md"), f"| model | bits |\n|:--|--:|\n| VAE_{name} | ≤ 1 |\n\nA note.\n")
    for name in FIGURES:
        path = layout.figure("demo", name, "pdf")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure = plt.figure(figsize=(2, 1))
        figure.text(0.1, 0.5, f"picture {name}")
        figure.savefig(path)
        plt.close(figure)
    write_text(layout.claims("demo", "json"), json.dumps([CLAIM]))
    for run in runs("all", "demo", EXPERIMENT):
        write_training(run)
    return layout.figure("demo", "paper", "pdf")


def test_every_part_is_there_and_signs_are_text(made):
    article.make("demo", EXPERIMENT)
    text = " ".join(page.extract_text() for page in PdfReader(made).pages).replace("\xa0", " ")
    for part in (
        "1 # 2 $ 3: holds",
        "_a_ *b*",
        "VAE_sizes",
        "A note.",
        "A [new] run.",
        "It is *3* #times.",
        "(F3 of the paper)",
        "≤ 1",
    ):
        assert part in text, part
    first = made.read_bytes()
    article.make("demo", EXPERIMENT)
    assert made.read_bytes() == first
    assert not list(made.parent.glob("*.json"))
    assert provenance.read(made)["runs"]["glow/seed-0"]["weights_sha256"] == "glow"


def test_a_tall_figure_fits_its_page_and_a_wide_table_lies(made):
    """The figure is scaled, not cropped; the other pages keep their format."""
    figure = plt.figure(figsize=(2, 8))
    figure.text(0.1, 0.01, "the foot of the figure")
    figure.savefig(layout.figure("demo", "structures", "pdf"))
    plt.close(figure)
    wide = ["| " + " | ".join(cells) + " |" for cells in (["bits ↓"] * 12, [":--"] * 12, ["≤ 3.372 ± 0.044"] * 12)]
    write_text(layout.table("demo", "metrics", "md"), "\n".join(wide) + "\n")
    article.make("demo", EXPERIMENT)
    pages = PdfReader(made).pages
    lying = [page for page in pages if page.mediabox.width > page.mediabox.height]
    assert len(lying) == 1
    assert lying[0].extract_text().replace("\xa0", " ").count("≤ 3.372 ± 0.044") == 12
    (tall,) = [page for page in pages if "the foot of the figure" in page.extract_text()]
    assert "(F2 of the paper)" in tall.extract_text()
    drawn = []

    def visit(operator, operands, transform, text_matrix):
        if operator == b"Do":
            drawn.append(transform)

    tall.extract_text(visitor_operand_before=visit)
    ((across, _, _, up, left, bottom),) = drawn
    assert across == up
    assert bottom > 62  # the margin of 2.2 cm in points
    assert bottom + up * 8 * 72 < tall.mediabox.height - 62
    assert 62 < left < left + across * 2 * 72 < tall.mediabox.width - 62


def test_a_missing_part_is_one_clear_line(made):
    layout.table("demo", "sizes", "md").unlink()
    with pytest.raises(UserError, match=r"sizes\.md: missing; make it first: python -m fvae table"):
        article.make("demo", EXPERIMENT)
    assert not made.exists()


def test_a_missing_figure_is_one_clear_line(made):
    layout.figure("demo", "curves", "pdf").unlink()
    with pytest.raises(UserError, match=r"paper\.pdf: Typst: .*curves\.pdf") as error:
        article.make("demo", EXPERIMENT)
    assert "\n" not in str(error.value)
