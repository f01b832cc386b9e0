"""Freed memory stays with the process: fewer page faults, and the same numbers."""

import mmap
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = """
import resource, sys
import torch
from fvae.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def step():
    layers = [torch.ones(2**20)]
    for _ in range(8):
        layers.append(layers[-1] + 1)
    return float(layers[-1][-1])

for _ in range(6):
    step()
before = faults()
result = sum(step() for _ in range(10))
print(result, faults() - before)
"""


def measured(how):
    """The sum of ten steps, and how many pages they took anew; a step holds 36 MiB in nine tensors."""
    # Left alone, glibc moves this threshold as it runs, and gives back now little and now everything.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "1048576"}
    command = [sys.executable, "-c", CODE, how]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    result, faults = done.stdout.split()
    return float(result), int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_a_step_takes_the_memory_of_the_step_before():
    given_back, kept = measured("give back"), measured("keep")
    assert kept[0] == given_back[0] == 90.0
    assert given_back[1] > 300 * 2**20 / mmap.PAGESIZE  # of 360 MiB
    # The heap may still grow by a tensor: where it starts differs from process to process.
    assert kept[1] < given_back[1] / 10


def test_the_program_keeps_it():
    code = "import fvae.__main__ as main; called = []; main.keep_freed_memory = lambda: called.append(1)\n"
    code += "try:\n    main.main()\nexcept SystemExit:\n    print(called)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.endswith("[1]\n")
