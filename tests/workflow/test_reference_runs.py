"""The reference runs' numbers are in Git: `dvc metrics diff` compares anyone's rerun with them."""

import json

import pytest

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("experiment", ["study", "faces64"])
def test_a_rerun_is_compared_with_the_record(fresh, tmp_path, experiment):
    project = fresh.copy(tmp_path / "project")
    project.ok("git", "init", "-q")
    project.be_someone()
    project.commit("a clone")
    path = f"results/{experiment}/metrics.json"
    measured = json.loads((project.folder / path).read_text())
    measured["fvae"]["swd"] += 1
    (project.folder / path).write_text(json.dumps(measured))
    found = json.loads(project.run("dvc", "metrics", "diff", "--json").stdout)
    (changed,) = found[path].items()
    assert changed[0] == "fvae.swd"
    assert changed[1]["diff"] == pytest.approx(1)
