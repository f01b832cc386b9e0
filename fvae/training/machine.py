"""The device: which it is, that it gives the same bits again, and what a training took of it."""

from __future__ import annotations

import platform
import re
import resource
import sys
from pathlib import Path

import torch


def default_device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def exact() -> None:
    """Have a GPU give the same bits every time, in float32 where float32 is said: for all that this process does.

    cuDNN's convolutions take deterministic algorithms, none of them chosen by timing, and neither they nor products of
    matrices round to TF32: a flow's inverse would miss x by 10⁻³.
    """
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.fp32_precision = "ieee"


def device_name(device: torch.device) -> str:
    """The name of a GPU, or of the processor and how many threads were used."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    name = named[1] if named else platform.processor() or platform.machine()
    return f"{name}, {torch.get_num_threads()} threads"


def peak_memory(device: torch.device) -> int:
    """The most memory in bytes that was held at once: the GPU's, or this process's resident set."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "linux":  # where ru_maxrss remembers the process that started this one
        (kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return 1024 * int(kibibytes)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
