"""Threads that compute: workers that can be released, denormals that count as zero."""

import os
import sys
import threading
import time

import pytest
import torch

from echotorrent_core import threads
from echotorrent_core.threads import Waiting, compute_thread, in_thread, release_workers

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


class Load:
    """Core seconds of all programs: `others` cores' worth beside this one."""

    def __init__(self) -> None:
        self.others, self.at, self.sum = 0.0, time.monotonic(), 0.0

    def __call__(self) -> float:
        now = time.monotonic()
        self.sum, self.at = self.sum + self.others * (now - self.at), now
        return self.sum + time.process_time()


@needs_libgomp
def test_workers_sleep_while_others_want_the_cores(monkeypatch) -> None:
    monkeypatch.setattr(Waiting, "INTERVAL", 0.01)
    compute()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    load = Load()
    waiting = Waiting(load)

    def after(others: float) -> tuple[bool, int]:
        load()
        load.others = others
        waiting.adapt()  # from here on, others are as many
        time.sleep(0.05)
        waiting.adapt()
        return waiting.asleep, len(tasks()) - len(before)

    release_workers()
    time.sleep(0.2)  # threads of tests before end in their own time
    before = tasks()
    assert after(0.0) == (False, 0)
    asleep, more = after(0.5)
    assert asleep and more >= 2  # a thread and its workers
    assert after(0.15)[0]  # neither crowded nor alone: as it was
    assert after(0.0)[0] is False
    assert after(0.15)[0] is False
    assert after(0.5)[0]
    waiting.close()
    assert not waiting.asleep
    limit = time.monotonic() + 10
    while len(tasks()) > len(before):  # the system takes a moment to end them
        assert time.monotonic() < limit
        time.sleep(0.01)


@needs_libgomp
def test_fewer_threads_than_cores_leave_room(monkeypatch) -> None:
    monkeypatch.setattr(Waiting, "INTERVAL", 0.01)
    monkeypatch.setattr(torch, "get_num_threads", lambda: len(os.sched_getaffinity(0)) - 1)
    load = Load()
    waiting = Waiting(load)
    load.others = 0.9
    time.sleep(0.05)
    waiting.adapt()
    assert not waiting.asleep


def test_unknown_load_changes_nothing() -> None:
    waiting = Waiting(lambda: None)
    waiting.adapt()
    assert not waiting.asleep
    waiting.close()


def test_load_of_this_machine_is_read() -> None:
    busy = threads._busy_seconds()
    if sys.platform != "linux":
        assert busy is None
        return
    begun = time.process_time()
    while time.process_time() < begun + 0.2:
        pass
    assert threads._busy_seconds() - busy >= 0.15


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
