"""The structure of every model of `family` is drawn."""

import pytest
from measurements import write_json

from fvae import layout, params
from fvae.models.build import describe
from fvae.models.match import resolve_one
from fvae.paper import structures, style

FAMILY = params.load().experiments["family"]
RELATED = ("vae_planar", "vae_iaf", "fvae_autoregressive")


@pytest.fixture
def related(tmp_path, monkeypatch):
    """The related work alone, matched to the f-VAE."""
    monkeypatch.chdir(tmp_path)
    for name in RELATED:
        spec = resolve_one(FAMILY, name)
        size = describe(spec, FAMILY.data.size)
        write_json(layout.model("family", name), {"spec": spec.model_dump(mode="json"), "size": size})
    return FAMILY.model_copy(update={"models": {name: FAMILY.models[name] for name in RELATED}})


def test_related_work_has_its_flow_and_its_name(related):
    panels = structures.draw("family", related).axes
    texts = {name: [text.get_text() for text in axes.texts] for name, axes in zip(RELATED, panels, strict=True)}
    assert "8 steps" in texts["vae_planar"]
    assert "4 steps\nwidth 512" in texts["vae_iaf"]
    assert texts["fvae_autoregressive"].count("4 steps\nwidth 512") == 2  # F and its inverse
    for name, axes in zip(RELATED, panels, strict=True):
        assert axes.get_title(loc="left").startswith(style.LABELS[name])
        assert ("$F^{-1}$" in texts[name]) is (name == "fvae_autoregressive")
