"""Freed memory is kept by the process, so that the next step's tensors need no new pages."""

from __future__ import annotations

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
MOST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc to take large blocks from its heap, and to hand nothing back. By default blocks above 32 MB are pages
    of their own, which the kernel clears at every allocation: a tenth of a training step on a CPU. Whether it did;
    whoever has set MALLOC_... knows better, and other C libraries are left alone."""
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    return bool(libc.mallopt(M_MMAP_MAX, 0) and libc.mallopt(M_TRIM_THRESHOLD, MOST))
