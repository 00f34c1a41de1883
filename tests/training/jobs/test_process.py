"""Detached processes, and how they ended."""

import os
import signal
import subprocess
import sys
import time

import pytest

from training.jobs import process

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither sessions nor signals")
SLEEP = "import time; print('here', flush=True); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"


@posix
def test_a_worker_leads_a_session_of_its_own(tmp_path):
    """Which a closed terminal or an interrupt of the server does not reach."""
    child = process.spawn("training.jobs", ["--help"], tmp_path / "log.txt", "cpu")
    try:
        assert os.getsid(child.pid) == child.pid and os.getpgid(child.pid) == child.pid
    finally:
        assert child.wait(30) == 0
    assert "python -m training.jobs" in (tmp_path / "log.txt").read_text()


def ended(code, patience):
    """(whether it is gone, exit status, seconds) of a process that was ended."""
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
    child.stdout.readline()
    begun = time.monotonic()
    gone = process.end(child.pid, lambda: child.poll() is not None, patience)
    child.stdout.close()
    return gone, child.wait(10), time.monotonic() - begun


@pytest.mark.parametrize("code", [SLEEP, DEAF])
def test_it_is_ended(code):
    gone, status, _ = ended(code, 0.5)
    assert gone and status != 0


@posix
def test_it_is_asked_first_and_then_not():
    gone, code, _ = ended(SLEEP, 5.0)
    assert gone and code == -signal.SIGTERM
    gone, code, seconds = ended(DEAF, 0.5)
    assert gone and code == -signal.SIGKILL and seconds >= 0.5


@posix
def test_ends_in_words():
    assert process.ended(7) == "exit status 7" and process.ended(-15) == "ended by SIGTERM"
    assert "memory ran out" in process.ended(-9) and process.ended(-99) == "ended by signal 99"
