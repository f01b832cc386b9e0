"""The device: its choice, its name, reproducible arithmetic, and the memory that a training used."""

from __future__ import annotations

import platform
import re
import resource
import sys
from pathlib import Path

import torch


def default_device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_exact_arithmetic() -> None:
    """Make GPUs give the same bits every time, and compute float32 in float32, for the rest of this process.

    cuDNN uses deterministic algorithms for convolutions and does not choose them by timing. Neither convolutions nor
    matrix products round to TF32, with which a flow's inverse would miss x by 10⁻³. PyTorch's newer settings,
    `fp32_precision`, are not used: its export to ONNX fails where they were set.
    """
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def device_name(device: torch.device) -> str:
    """The name of a GPU; or the name of the processor, with the number of threads that PyTorch uses."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    name = named[1] if named else platform.processor() or platform.machine()
    return f"{name}, {torch.get_num_threads()} threads"


def peak_memory(device: torch.device) -> int:
    """Peak memory in bytes: of the GPU, or the resident set of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "linux":  # where ru_maxrss includes the process that started this one
        (kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return 1024 * int(kibibytes)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
