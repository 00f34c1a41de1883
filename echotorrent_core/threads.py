"""Settings of CPU threads that decide whether a stream keeps up: a chunk takes half the time with them on two cores of
its own, and a tenth where another program, such as the browser that plays it, wants one of the two.

Measured by `benchmarks/threads.py`. None of them changes a number: as many threads compute the same parts.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
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


class Waiting:
    """How the workers of a computing thread wait for each other: actively while the cores are theirs, asleep while
    other programs want them too.

    A worker that waits actively keeps its core from whoever the others wait for. GNU's OpenMP lets workers sleep
    instead when there are more of them than cores, so a thread with workers of its own, which does nothing else, is
    what changes the way. Call `adapt` often, from the thread that computes. Does nothing where the load is not known or
    the OpenMP is another one.

    busy: core seconds of all programs since some time, None where it is not known.
    """

    INTERVAL = 0.25  # seconds that a reading covers at least: the counters have ticks of 0.01 s
    CROWDED, ALONE = 0.2, 0.1  # cores that others use of ours, above and below which the way changes

    def __init__(self, busy: Callable[[], float | None] | None = None) -> None:
        self._busy = busy or _busy_seconds
        self._last = self._read()
        self._crowd: _Crowd | None = None

    @property
    def asleep(self) -> bool:
        return self._crowd is not None

    def adapt(self) -> None:
        """Choose the way by what others used since the last reading."""
        now = self._read()
        if now is None or self._last is None or _openmp() is None:
            return
        wall, own, all_ = (new - old for new, old in zip(now, self._last, strict=True))
        if wall < self.INTERVAL:
            return
        self._last = now
        wanted = (all_ - own) / wall + torch.get_num_threads() - len(os.sched_getaffinity(0))
        if wanted > self.CROWDED and self._crowd is None:
            self._crowd = _Crowd()
        elif wanted < self.ALONE:
            self.close()

    def close(self) -> None:
        """Back to waiting actively."""
        if self._crowd is not None:
            self._crowd.leave()
            self._crowd = None

    def _read(self) -> tuple[float, float, float] | None:
        """(time, core seconds of this program, of all)."""
        busy = self._busy()
        return None if busy is None else (time.monotonic(), time.process_time(), busy)


class _Crowd:
    """A thread with OpenMP workers, all of which do nothing."""

    def __init__(self) -> None:
        self._gone, there = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._stay, args=(there,), name="echotorrent crowd", daemon=True)
        self._thread.start()
        there.wait()

    def _stay(self, there: threading.Event) -> None:
        torch.zeros(1 << 18).add_(1)  # large enough to be shared among workers
        there.set()
        self._gone.wait()

    def leave(self) -> None:
        self._gone.set()
        self._thread.join()


def _busy_seconds() -> float | None:
    """Core seconds that all programs of this machine have used, from Linux's counters; None elsewhere."""
    if sys.platform != "linux":
        return None
    try:
        with open("/proc/stat", encoding="utf-8") as file:
            user, nice, system, _idle, _waiting, irq, soft, steal = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def in_thread(function: Callable[[], T]) -> T:
    """What `function` returns or raises, computed in a thread of its own whose workers end with it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()
