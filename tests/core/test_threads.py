"""Threads that compute: workers that can be released, denormals that count as zero."""

import os
import sys
import threading

import pytest
import torch

from echotorrent_core import threads
from echotorrent_core.threads import compute_thread, in_thread, release_workers

needs_libgomp = pytest.mark.skipif(
    sys.platform != "linux" or threads._openmp() is None, reason="torch does not compute with GNU's OpenMP here"
)


def compute() -> None:
    torch.set_num_threads(2)
    torch.randn(1 << 18).mul(2)


def tasks() -> set[str]:
    return set(os.listdir("/proc/self/task"))


@needs_libgomp
def test_workers_of_this_thread_end_and_come_back() -> None:
    compute()
    before = tasks()
    release_workers()
    assert len(tasks()) < len(before)
    compute()
    assert len(tasks()) == len(before)


@needs_libgomp
def test_workers_of_another_thread_stay() -> None:
    computed, may_end = threading.Event(), threading.Event()

    def other() -> None:
        compute()
        computed.set()
        may_end.wait(10)

    release_workers()
    before = tasks()
    thread = threading.Thread(target=other)
    thread.start()
    assert computed.wait(10)
    with_others = tasks()
    release_workers()
    assert tasks() == with_others
    assert len(with_others) == len(before) + 2  # the thread and its worker
    may_end.set()
    thread.join()


def test_nothing_happens_without_gnu_openmp(monkeypatch) -> None:
    monkeypatch.setattr(threads, "_openmp", lambda: None)
    release_workers()


def test_denormals_are_zero_in_a_compute_thread_only() -> None:
    def smallest() -> float:
        return float(torch.tensor([1e-38], dtype=torch.float32).mul(0.1).double())

    def work() -> float:
        compute_thread()
        return smallest()

    assert smallest() > 0
    assert in_thread(work) == 0
    assert smallest() > 0


def test_in_thread_raises_what_the_function_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        in_thread(lambda: 1 / 0)
