"""The README names what there is."""

from pathlib import Path

import pytest

from fvae.paper import FIGURES, TABLES
from fvae.params import load

README = (Path(__file__).parents[1] / "README.md").read_text()


@pytest.mark.parametrize("name", [*FIGURES, *TABLES, *load().experiments])
def test_every_figure_table_and_experiment_is_named(name):
    assert f"`{name}`" in README or f"{name}.md" in README


def test_every_link_leads_somewhere():
    links = [part.split(")")[0] for part in README.split("](")[1:]]
    assert links
    for link in links:
        assert link.startswith("https://") or (Path(__file__).parents[1] / link).exists(), link
