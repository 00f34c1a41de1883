"""The list of jobs: states, commands, and what is left of it after losses."""

import dataclasses
import sqlite3
import sys
import threading
import time

import pytest

from training.jobs import files
from training.jobs.errors import Conflict, Unknown
from training.jobs.lock import FolderLock
from training.jobs.store import FILE, MOVES, Job, Store


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path)
    yield made
    made.close()


def added(store, state="stopped", device="cpu", **values):
    key = files.new_id()
    (store.jobs / key).mkdir(parents=True)
    job = Job(key, "identity", "ana", device, {"preset": "p"}, time.time(), state=state, **values)
    with store.change() as changes:
        changes.add(job)
    return key


def moved(store, key, *states):
    for state in states:
        with store.change() as changes:
            changes.move(key, state)


PATHS = {
    "queued": ["queued"], "starting": ["queued", "starting"], "running": ["queued", "starting", "running"],
    "finished": ["queued", "starting", "running", "finished"], "failed": ["queued", "starting", "failed"],
    "stopped": [], "paused": ["queued", "paused"],
}  # fmt: skip


@pytest.mark.parametrize("before", MOVES)
@pytest.mark.parametrize("after", MOVES)
def test_states_follow_the_table(store, before, after):
    key = added(store)
    moved(store, key, *PATHS[before])
    if after in MOVES[before]:
        moved(store, key, after)
        assert store.find(key).state == after and store.moves(key)[-1][1:] == (before, after)
        assert files.read_json(store.jobs / key / "job.json")["state"] == after
    else:
        with pytest.raises(Conflict, match=f"is {before}, and cannot become {after}"):
            moved(store, key, after)
        assert store.find(key).state == before


def test_a_job_comes_back_as_it_was_put_in(store):
    key = added(store, dataset="d" * 16, metrics={"loss": 0.5, "bad": None}, result={"a": [1]}, seconds_left=1.5)
    found = store.find(key)
    assert found.spec == {"preset": "p"} and found.metrics == {"loss": 0.5, "bad": None} and found.result == {"a": [1]}
    assert found.dataset == "d" * 16 and found.seconds_left == 1.5
    with pytest.raises(Unknown, match="there is no job 'x'"):
        store.find("x")


def test_the_file_itself_allows_one_job_per_device(store):
    first, second = added(store, "queued"), added(store, "queued")
    moved(store, first, "starting")
    with pytest.raises(sqlite3.IntegrityError):
        moved(store, second, "starting")
    assert store.find(second).state == "queued"
    moved(store, added(store, "queued", "cuda:0"), "starting")


def test_nothing_of_a_change_that_fails_is_kept(store):
    key = added(store)
    with pytest.raises(ZeroDivisionError), store.change() as changes:
        changes.move(key, "queued")
        changes.command(key, "stop")
        raise ZeroDivisionError
    assert store.find(key).state == "stopped" and not store.commands(key) and not store.moves(key)


def test_commands_end_with_the_run(store):
    key = added(store)
    moved(store, key, *PATHS["running"])
    with store.change() as changes:
        for command in ("save", "stop", "save"):
            changes.command(key, command)
    assert store.commands(key) == ["save", "stop"] and store.all_commands() == {key: ["save", "stop"]}
    store.answered(key, "save")
    assert store.commands(key) == ["stop"]
    moved(store, key, "stopped")
    assert store.commands(key) == []


def test_progress_belongs_to_one_run(store):
    key = added(store, "queued")
    with store.change() as changes:
        changes.move(key, "starting", claim="a")
        changes.move(key, "running")
    assert store.note(key, "a", step=3, total=9)
    assert not store.note(key, "b", step=4) and store.find(key).step == 3
    moved(store, key, "failed")
    assert not store.note(key, "a", step=5)


def same(store, keys):
    return {key: dataclasses.replace(store.find(key), updated=0) for key in keys}


def lose(store, how):
    path = store.root / FILE
    if how not in ("deleted", "the file alone") or sys.platform == "win32":
        store.close()  # others are deleted while they are open, which Windows does not let anybody do
    if how == "deleted":
        for name in (FILE, FILE + "-wal", FILE + "-shm"):
            (store.root / name).unlink(missing_ok=True)
    elif how == "the file alone":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "emptied" else b"not what it was" * 1000)


@pytest.mark.parametrize("how", ["deleted", "the file alone", "emptied", "overwritten"])
def test_a_lost_list_is_made_again_from_the_folders(store, how):
    keys = [added(store, "stopped", place=i, metrics={"loss": 1.0}, dataset="d" * 16) for i in range(3)]
    moved(store, keys[0], *PATHS["finished"])
    moved(store, keys[1], "queued")
    before = same(store, keys)
    (store.jobs / "0123").mkdir()
    (store.jobs / ("0" * 16)).mkdir()
    (store.jobs / ("0" * 16) / "job.json").write_text('{"id": "other"}')
    lose(store, how)
    other = Store(store.root)  # as another process sees it
    assert same(other, keys) == before and len(other.all()) == 3
    assert same(store, keys) == before
    moved(store, keys[2], "queued")
    assert other.find(keys[2]).state == "queued"
    other.close()
    assert bool(list(store.root.glob("damaged-*"))) == (how == "overwritten")


def test_in_a_list_made_again_only_the_living_run(store):
    dead, alive = added(store), added(store, device="cuda:0")
    for key in (dead, alive):
        moved(store, key, *PATHS["running"])
    with FolderLock(store.jobs / alive) as lock:
        assert lock.take()
        lose(store, "deleted")
        assert store.find(alive).state == "running"
    failed = store.find(dead)
    assert failed.state == "failed" and "its worker died" in failed.reason


def test_many_at_once_make_one_list(tmp_path):
    """Each with a connection of its own, as processes have them."""
    keys, errors = [], []

    def work():
        store = Store(tmp_path)
        try:
            keys.extend(added(store) for _ in range(5))
        except Exception as error:
            errors.append(error)
        store.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and {job.id for job in Store(tmp_path).all()} == set(keys) and len(keys) == 30
