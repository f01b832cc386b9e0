"""What a training ran on, for the table of costs."""

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
