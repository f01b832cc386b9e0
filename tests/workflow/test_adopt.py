"""`make adopt` where dvc.lock is damaged; test_dvc.py has the real runs."""

import pytest

from workflow.adopt import stages_as_recorded

CONFLICT = """schema: '2.0'
stages:
<<<<<<< HEAD
  data@demo:
=======
  data@study:
>>>>>>> other
"""


@pytest.mark.parametrize("text", ["", "schema: '2.0'", "[]", CONFLICT])
def test_a_damaged_lock_file_is_one_line(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(SystemExit, match=r"^fvae: dvc\.lock: damaged, or with Git's conflict marks; "):
        stages_as_recorded()
