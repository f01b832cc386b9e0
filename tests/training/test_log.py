"""The log of a rule has also what a training prints after a signal."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "workflow/rules/common.smk"
TRAINING = """trap 'sleep 0.3; echo saved; exit 1' INT TERM; echo begun; while true; do sleep 0.05; done"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_printed_after_a_signal_to_the_whole_group_is_logged(tmp_path, number):
    (pipe,) = re.findall(r"\{options\} (2>&1 \| .*)\"$", RULES.read_text(), re.MULTILINE)
    log = tmp_path / "train.log"
    pipe = pipe.replace("{{log}}", str(log))
    command = f'set -euo pipefail; bash -c "{TRAINING}" {pipe}'
    running = subprocess.Popen(["bash", "-c", command], stdout=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 10
    while not (log.exists() and log.read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(running.pid, number)
    running.wait(10)
    while "saved" not in log.read_text() and time.monotonic() < until:
        time.sleep(0.01)
    assert log.read_text().startswith("begun\n")
    assert log.read_text().endswith("saved\n")
