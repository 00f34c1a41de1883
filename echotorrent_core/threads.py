"""Two settings of CPU threads that decide whether a stream keeps up: a chunk takes half the time with them on 2 cores.

Measured by `benchmarks/threads.py`.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch

T = TypeVar("T")


def release_workers() -> None:
    """End the OpenMP workers of the calling thread; its next parallel operation makes new ones.

    GNU's OpenMP keeps a pool of workers for each thread that ever computed. With more workers than cores it stops to
    let them wait actively, and every parallel operation then pays for waking them up. So a thread that hands the
    computing over to another one calls this first. Does nothing with other OpenMP libraries.
    """
    library = _openmp()
    if library is not None:
        library.omp_pause_resource_all(1)  # omp_pause_soft


@cache
def _openmp() -> ctypes.CDLL | None:
    """The copy of libgomp that torch has loaded."""
    for path in Path(torch.__file__).parent.glob("lib/libgomp*.so*"):
        try:
            library = ctypes.CDLL(str(path), mode=os.RTLD_NOLOAD)
        except OSError:  # there, but not in use
            continue
        if hasattr(library, "omp_pause_resource_all"):
            return library
    return None


def compute_thread() -> None:
    """Make the calling thread, which should not have computed yet, one that computes: denormal numbers count as zero
    in it and in its workers. GELU's tanh makes them of large inputs, and CPUs take a hundred cycles for each."""
    torch.set_flush_denormal(True)


def in_thread(function: Callable[[], T]) -> T:
    """What `function` returns or raises, computed in a thread of its own whose workers end with it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()
