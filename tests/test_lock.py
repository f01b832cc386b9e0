"""requirements.lock and what must agree with it."""

import re
from pathlib import Path

import yaml

LOCK = Path("requirements.lock").read_text()


def test_the_lock_names_no_place_and_has_a_hash_for_everything():
    assert "://" not in LOCK
    assert not re.search(r"^\s*(-e|-r|--index|--extra|--find|/)", LOCK, re.MULTILINE)
    pinned = re.findall(r"^[a-z0-9][\w.-]*==.*?(?=^[a-z0-9]|\Z)", LOCK, re.MULTILINE | re.DOTALL)
    assert len(pinned) > 100
    assert all("--hash=sha256:" in each for each in pinned)


def test_the_conda_environment_has_the_versions_of_the_lock():
    environment = yaml.safe_load(Path("workflow/envs/fvae.yaml").read_text())
    pins = environment["dependencies"][-1]["pip"]
    assert len(pins) > 10
    for pin in pins:
        assert re.search(rf"^{re.escape(pin)}\b", LOCK, re.MULTILINE), pin
