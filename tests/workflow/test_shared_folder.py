"""A file system without locks: a Snakemake that cannot lock the folder says so and starts nothing."""

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("dvc")]

NO_LOCKS = """
import errno, fcntl, os

def refuse(file, operation):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

fcntl.flock = refuse
"""


def test_without_locks_one_line_says_so(fresh, tmp_path):
    project = fresh.copy(tmp_path / "copy")
    (tmp_path / "sitecustomize.py").write_text(NO_LOCKS)  # Python imports it when it starts
    command = ["env", f"PYTHONPATH={tmp_path}", "snakemake", "--cores", "1", "data/demo/manifest.json"]
    refused = project.run(*command)
    assert refused.returncode != 0
    assert "fvae: .snakemake/running.lock: the file system refuses locks (No locks available)" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (project.folder / "data/demo").exists()
