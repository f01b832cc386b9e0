"""How the C library treats memory that is freed."""

from __future__ import annotations

import ctypes
import sys

# Of glibc's malloc.h; mallopt(3) explains them.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
LARGEST_MMAP_THRESHOLD = 32 * 2**20  # bytes; glibc takes none above it
TOP_PAD = 64 * 2**20  # bytes


def keep_freed_memory() -> None:
    """Let freed memory stay with this process, so that the next tensor of its size gets it again.

    glibc would give it back, and take new pages at every step, each of which the system has to fill with zeros. It
    changes no result. It does nothing where the C library is another one, and is best called before anything large is
    allocated.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_TOP_PAD, TOP_PAD)
