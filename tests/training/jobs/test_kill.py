"""SIGKILL at random moments, of the server, of workers and of both: nothing is lost, nothing is done twice."""

import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.training.jobs import fake_kinds
from training.jobs.errors import Conflict
from training.jobs.lock import owner
from training.jobs.store import ACTIVE, FILE, MOVES

SERVER = [sys.executable, str(Path(fake_kinds.__file__))]
KILLS = 50


@contextlib.contextmanager
def servers(root):
    """Starts servers, which poll and do nothing else; the function given ends the one before as a crash would."""
    running = []

    def start():
        kill()
        command = [*SERVER, str(root), "2.0"]
        running.append(subprocess.Popen(command, start_new_session=True))

    def kill():
        while running:
            process = running.pop()
            process.kill()
            process.wait()

    try:
        yield start, kill
    finally:
        kill()


def kill_worker(service):
    """One that works at the moment, if any does."""
    pids = [owner(service.folder(job.id)) for job in service.store.all() if job.state in ACTIVE]
    for pid in [pid for pid in pids if pid][:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, fake_kinds.KILL)


def act(service, chance, keys):
    """As an impatient user: something with some job, whether it fits or not."""
    key = chance.choice(keys)
    deeds = (service.pause, service.stop, service.requeue, service.start, lambda key: service.order(key, "save"))
    with contextlib.suppress(Conflict):
        chance.choice(deeds)(key)


def check(service, keys):
    """What must hold at any moment."""
    db = sqlite3.connect(service.root / FILE, timeout=30)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    active = [job.device for job in service.store.all() if job.state in ACTIVE]
    assert len(active) == len(set(active))
    for key in keys:
        states = [(before, after) for _, before, after in service.store.moves(key)]
        assert all(after in MOVES[before] for before, after in states), states
        assert all(one[1] == next_one[0] for one, next_one in pairwise(states)), states
        job = service.store.find(key)
        assert not states or states[-1][1] == job.state
        record = json.loads((service.folder(key) / "job.json").read_text())
        assert set(record) > {"id", "state", "spec"}


def check_diary(folder):
    """Every run began at the last checkpoint before it, and none while another was at work."""
    saved, begun = 0, 0
    for line in (folder / fake_kinds.DIARY).read_text().splitlines():
        word, _, step = line.split()
        assert word != "twice", "two workers of one job, or of one device, at once"
        if word == "begin":
            assert int(step) >= saved, "a checkpoint was lost"
            begun += 1
        saved = max(saved, int(step)) if word == "saved" else saved
    return begun


@pytest.mark.slow
def test_nothing_is_lost_to_kills(service, job, wait):
    chance = random.Random(0)
    keys = [job(name=f"job {i}", device=f"cuda:{i % 2}", steps=250, seconds=0.02, save_every=7) for i in range(4)]
    with servers(service.root) as (start, kill):
        start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.02, 0.5))
            act(service, chance, keys)
            what = chance.choice(("server", "worker", "both"))
            if what != "worker":
                kill()
            if what != "server":
                kill_worker(service)
            check(service, keys)
            if what != "worker":
                start()
            for key in keys:  # the user finds what failed and lets it go on
                with contextlib.suppress(Conflict):
                    service.start(key)
        kill()
    for key in keys:
        service.store.find(key)
        wait(key, lambda found: revived(service, found), 120)
    check(service, keys)
    for key in keys:
        lines = [json.loads(line) for line in (service.folder(key) / "run" / "metrics.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == list(range(1, 251))
        assert all(line["loss"] == fake_kinds.loss(line["step"]) for line in lines)
    runs = sum(check_diary(service.folder(key)) for key in keys)
    assert runs > 15, "the kills hardly met anything"


def revived(service, found):
    if found.state in ("failed", "stopped", "paused"):
        service.start(found.id)
    return found.state == "finished"


def test_a_dead_worker_is_noticed_by_another_server(service, job, wait):
    """Which did not start it and so does not know how it ended, but has its last words."""
    with servers(service.root) as (start, _):
        key = job(steps=1000, seconds=0.05)
        start()
        deadline = time.monotonic() + 60
        while service.store.find(key).step < 1 and time.monotonic() < deadline:
            time.sleep(0.05)
    os.kill(owner(service.folder(key)), fake_kinds.KILL)
    killed = time.monotonic()
    failed = wait(key, "failed", 10)
    assert time.monotonic() - killed < 10
    assert failed.reason == "its worker died; its last words: training ..."


def test_a_worker_outlives_its_server(service, job, wait):
    with servers(service.root) as (start, kill):
        key = job(steps=30, seconds=0.05)
        start()
        deadline = time.monotonic() + 60
        while service.store.find(key).state != "running" and time.monotonic() < deadline:
            time.sleep(0.02)
        kill()
        assert wait(key, "finished").runs == 1
