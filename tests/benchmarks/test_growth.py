"""benchmarks/growth.py: its experiments are valid, and all their work grows alike."""

from pathlib import Path

import pytest
import yaml

from fvae.params import load


@pytest.fixture(scope="module")
def growth(script):
    """The script as a module."""
    return script("growth")


def test_all_work_grows_alike(growth, tmp_path):
    found = {}
    for times in growth.TIMES:
        params = yaml.safe_load(Path("params.yaml").read_text())
        params["experiments"] = {"demo": params["experiments"]["demo"], "growth": growth.experiment(times)}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        found[times] = load(tmp_path / "params.yaml").experiment("growth")
    assert list(found[1].models) == ["fvae"]
    for times, grown in found.items():
        assert grown.data.train == times * growth.PREPARED
        assert grown.training.images == times * growth.SEEN
        assert {grown.data.test, grown.sampling.random.images} == {times * growth.MEASURED}
        for section in (grown.evaluation.bpd, grown.evaluation.swd, grown.evaluation.sharpness):
            assert section.images == times * growth.MEASURED


def test_a_growth_that_is_noise_is_none(growth):
    assert growth.growth_of(2.0, 5.0, 17.0) == 4.0
    assert growth.growth_of(1.9, 1.8, 2.1) is None
