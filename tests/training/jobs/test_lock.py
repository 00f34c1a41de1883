"""The lock that says who lives."""

import os
import subprocess
import sys
import time

from tests.test_repository import ROOT
from tests.training.jobs.fake_kinds import KILL
from training.jobs.lock import FolderLock, owner

HOLD = """
import os, subprocess, sys, time
from pathlib import Path
from training.jobs.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
assert lock.take()
if hasattr(os, "fork"):
    child = os.fork()  # as a data loader does; it lives on when its parent is killed
else:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False).pid
if child:
    print(child, flush=True)
time.sleep(60)
"""


def test_one_owner(tmp_path):
    with FolderLock(tmp_path) as lock:
        assert owner(tmp_path) is None and lock.take()
        assert owner(tmp_path) == os.getpid()
        assert not FolderLock(tmp_path).take(0.1)
        assert owner(tmp_path) == os.getpid(), "asking in vain let the lock go"
    assert owner(tmp_path) is None
    with FolderLock(tmp_path) as again:
        assert again.take()


def test_it_goes_with_its_owner_and_not_with_its_owners_children(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    child = int(process.stdout.readline())
    try:
        assert owner(tmp_path) == process.pid
        assert not FolderLock(tmp_path).take()
        process.kill()
        process.wait()
        if sys.platform != "win32":
            os.kill(child, 0)  # still there
        assert owner(tmp_path) is None
        with FolderLock(tmp_path) as lock:
            assert lock.take(1)
    finally:
        process.kill()
        process.stdout.close()
        os.kill(child, KILL)


def test_patience(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    child = int(process.stdout.readline())
    os.kill(child, KILL)
    begun = time.monotonic()
    with FolderLock(tmp_path) as lock:
        assert not lock.take(0.3) and time.monotonic() - begun >= 0.3
        process.kill()
        assert lock.take(5)
    process.wait()
    process.stdout.close()


def test_nobody_owns_what_is_not_there(tmp_path):
    assert owner(tmp_path / "none") is None
    (tmp_path / "lock").write_text("no number")
    assert owner(tmp_path) is None
