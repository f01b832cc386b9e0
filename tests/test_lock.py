"""requirements.lock and what must agree with it."""

import re
from pathlib import Path

LOCK = Path("requirements.lock").read_text()


def test_the_lock_names_no_place_and_has_a_hash_for_everything():
    assert "://" not in LOCK
    assert not re.search(r"^\s*(-e|-r|--index|--extra|--find|/)", LOCK, re.MULTILINE)
    pinned = re.findall(r"^[a-z0-9][\w.-]*==.*?(?=^[a-z0-9]|\Z)", LOCK, re.MULTILINE | re.DOTALL)
    assert len(pinned) > 100
    assert all("--hash=sha256:" in each for each in pinned)
