"""Jobs from their making to their end, with real workers that count steps."""

import contextlib
import json
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.training.jobs import fake_kinds
from tests.training.jobs.conftest import FAKE, FakeForms
from training.jobs.errors import Conflict, Refused, Unknown
from training.jobs.lock import FolderLock
from training.jobs.service import Service
from training.jobs.worker import StoreReport

KILLED = "exit status 15" if sys.platform == "win32" else "ended by SIGKILL, perhaps because memory ran out"


def curve(service, key):
    lines = (service.folder(key) / "run" / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def diary(service, key):
    lines = (service.folder(key) / fake_kinds.DIARY).read_text().split("\n")
    return [(word, int(pid), int(step)) for word, pid, step in (line.split() for line in lines if line)]


def test_a_job_runs_to_its_end(service, job, wait):
    key = job(steps=12)
    assert service.store.find(key).state == "queued"
    done = wait(key, "finished")
    assert done.result == {"steps": 12} and (done.step, done.total, done.runs) == (12, 12, 1)
    assert done.metrics == {"loss": fake_kinds.loss(12)} and done.pid is None and done.ended >= done.started
    assert curve(service, key) == list(range(1, 13))
    assert [after for _, _, after in service.store.moves(key)] == ["starting", "running", "finished"]
    assert "run 1" in (service.folder(key) / "log.txt").read_text()


def test_pause_and_resume(service, job, wait):
    key = job(steps=150, seconds=0.02, save_every=1000)
    wait(key, lambda found: found.step >= 2)
    service.pause(key)
    paused = wait(key, "paused")
    assert 2 <= paused.step < 150 and not paused.reason
    service.start(key, first=True)
    done = wait(key, "finished")
    begins = [step for word, _, step in diary(service, key) if word == "begin"]
    assert begins[0] == 0 and begins[1] >= paused.step and done.runs == 2
    assert curve(service, key) == list(range(1, 151))


def test_stop_goes_on_from_the_last_checkpoint(service, job, wait):
    key = job(steps=150, seconds=0.02, save_every=1000)
    wait(key, lambda found: found.step >= 2)
    service.stop(key)
    stopped = wait(key, "stopped")
    assert service.store.commands(key) == [] and stopped.pid is None
    service.start(key)
    wait(key, "finished")
    assert curve(service, key) == list(range(1, 151))


def test_what_waits_is_stopped_and_paused_at_once(service, job):
    first, second = job(), job()
    assert service.stop(first).state == "stopped" and service.pause(second).state == "paused"
    with pytest.raises(Conflict, match="nothing to stop"):
        service.stop(first)
    with pytest.raises(Conflict, match="must run to save"):
        service.order(first, "save")


def test_save_and_sample_now(service, job, wait):
    key = job(steps=3000, seconds=0.02, save_every=1000)
    wait(key, lambda found: found.step >= 2)
    service.order(key, "save")
    service.order(key, "sample")
    wait(key, lambda found: not service.store.commands(key))
    assert len(service.identity_files(key)) == 1
    assert list((service.folder(key) / "run" / "samples").glob("*.mp4"))
    assert service.store.find(key).state == "running"
    service.stop(key)
    wait(key, "stopped")


def test_requeue_makes_room_for_the_next(service, job, wait):
    first, second = job(steps=150, seconds=0.02), job(steps=5)
    wait(first, lambda found: found.step >= 2)
    service.requeue(first)
    wait(second, "finished")
    wait(first, "finished")
    assert service.store.find(first).runs == 2
    assert service.store.find(first).ended > service.store.find(second).ended
    assert curve(service, first) == list(range(1, 151))


def test_a_queue_goes_on_without_a_server(service, job, wait):
    """Nobody polls after the first start: the workers themselves start what waits."""
    first, second, third = (job(steps=5) for _ in range(3))
    service.poll()
    assert [service.store.find(key).state for key in (first, second, third)] == ["starting", "queued", "queued"]

    def seen(_):
        return service.store.find(third).state == "finished"

    service.poll = lambda: None
    wait(third, seen)
    assert [service.store.find(key).state for key in (first, second)] == ["finished", "finished"]


def test_one_job_per_device_and_short_work_beside_it(service, job, wait, dataset):
    first, second, other = job(steps=3000, seconds=0.02), job(), job(device="cuda:0")  # first outlasts the test
    look = service.check(dataset)
    wait(look.id, "finished")
    wait(first, "running")  # its worker may have started later than the short one
    assert service.store.find(second).state == "queued"
    wait(other, "finished")
    for key in (first, second):
        service.stop(key)
    wait(first, "stopped")


def test_the_queue_is_kept_in_the_order_that_users_give(service, job):
    keys = [job(name=f"job {i}") for i in range(4)]
    service.change(keys[3], position=0)
    service.change(keys[0], name="other", position=99)
    assert service.store.find(keys[0]).name == "other"
    service.requeue(keys[1])
    with service.store.change() as changes:
        assert [found.id for found in changes.where("queued")] == [keys[3], keys[2], keys[0], keys[1]]
    service.stop(keys[2])
    service.start(keys[2], first=True)
    with service.store.change() as changes:
        assert [found.id for found in changes.where("queued")] == [keys[2], keys[3], keys[0], keys[1]]
    with pytest.raises(Refused, match="whole number"):
        service.change(keys[0], position=-1)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("input", "the clips show nobody; use others"),
        ("bug", "KeyError: 'a bug'"),
        ("memory", "memory ran out; choose"),
        ("kill", f"its worker died ({KILLED}); its last words: "),
        ("exit", "its worker died (exit status 7); its last words: "),
    ],
)
def test_failures_say_why(service, job, wait, trouble, reason):
    key = job(steps=5, trouble=trouble)
    failed = wait(key, "failed")
    assert failed.reason.startswith(reason)
    assert "the last thing that was said" in (service.folder(key) / "log.txt").read_text()
    if trouble in ("kill", "exit"):
        assert failed.reason.endswith("the last thing that was said")


def test_a_failed_job_goes_on(service, job, wait):
    key = job(steps=4, trouble="exit", save_every=3)
    wait(key, "failed")
    service.start(key)
    assert wait(key, "finished").reason == ""  # the trouble came after the checkpoint of step 3
    assert curve(service, key) == [1, 2, 3, 4]


def test_settings_are_checked(service, dataset):
    for settings, message in (
        ({"steps": 0}, "settings.steps: expected a number from 1 to 100000"),
        ({"steps": True}, "a whole number"),
        ({"stepz": 1}, "there is no 'stepz'; known are steps"),
        ({"trouble": "none"}, "one of"),
        ({"advanced": {"rank": 65}}, "settings.advanced.rank"),
        ({"seconds": float("inf")}, "from 0 to 10"),
        ([], "of type object"),
    ):
        with pytest.raises(Refused, match=message):
            service.create("ana", "embedded", dataset, settings or [0])
    for values, message in (
        (("ana", "unknown", dataset), "cannot be fine-tuned; choose of embedded, tiny"),
        (("a\nb", "embedded", dataset), "is no name"),
        (("ana", "embedded", "0" * 16), "there is no dataset"),
        (("ana", "embedded", "../../etc"), "there is no dataset"),
        (("ana", "embedded", dataset, {}, "check"), "expected cpu"),
    ):
        with pytest.raises(Refused, match=message):
            service.create(*values)
    assert service.store.all() == []


def test_duplicate(service, job):
    key = job(steps=7, start=False)
    copy = service.duplicate(key, settings={"seconds": 0.5})
    assert (copy.state, copy.name) == ("stopped", "ana 2")
    assert copy.spec["settings"] == {"steps": 7, "seconds": 0.5} and copy.spec["name"] == "ana 2"
    assert service.duplicate(key).name == "ana 3"
    with pytest.raises(Refused, match="there is no"):
        service.duplicate(key, settings={"other": 1})


def test_compare(service, job, wait):
    key = job(steps=10)
    wait(key, "finished")
    names = [path.name for path in service.identity_files(key)]
    assert names == ["step-00000005.safetensors", "step-00000010.safetensors"]
    made = service.compare(key, names, "talk.mp4", 2)
    done = wait(made.id, "finished")
    assert Path(done.result["sound"]).parts[-2:] == ("clips", "talk.mp4") and done.parent == key
    assert len(list((service.folder(made.id) / "run" / "samples").iterdir())) == 2
    for checkpoints, clip, seconds in (
        (["../../job.json"], None, 1),
        ([], None, 1),
        (names, "other.mp4", 1),
        (names, None, 0),
        (names, None, True),
        (names, None, 61),
        ([7], None, 1),
    ):
        with pytest.raises(Refused):
            service.compare(key, checkpoints, clip, seconds)


def test_delete(service, job, wait):
    key = job(steps=3000, seconds=0.02)
    wait(key, "running")
    with pytest.raises(Conflict, match="is running; stop it first"):
        service.delete(key)
    service.stop(key)
    wait(key, "stopped")
    deadline = time.monotonic() + 10
    while service.store.all() and time.monotonic() < deadline:
        with contextlib.suppress(Conflict):  # the worker may still be on its way out
            service.delete(key)
    assert list(service.store.jobs.iterdir()) == []
    with pytest.raises(Unknown):
        service.store.find(key)


def test_force_ends_one_that_hangs(service, job, wait):
    key = job(steps=5, seconds=10)
    wait(key, "running")
    service.stop(key)
    ended = service.stop(key, force=True)
    assert ended.state == "stopped" and "by force" in ended.reason
    with FolderLock(service.folder(key)) as lock:
        assert lock.take()


def test_a_start_that_comes_to_nothing_is_tried_again(service, job, tmp_path):
    """As when the server is killed between taking a job from the queue and starting its worker."""
    service.patience = 0.0
    service._spawn = lambda job: None
    key = job()
    for _ in range(3):
        service.poll()
        assert service.store.find(key).state == "starting"
    service.poll()
    failed = service.store.find(key)
    assert failed.state == "failed" and failed.reason == "its worker could not be started without a word"
    service.start(key)
    service.poll()
    service.stop(key)
    service.poll()
    assert service.store.find(key).state == "stopped"


def test_a_late_worker_finds_its_start_given_up(service, job):
    service._spawn = lambda job: None
    key = job()
    service.poll()
    late = service.store.find(key).claim
    service.patience = 0.0
    service.poll()
    assert service.store.find(key).claim != late
    assert service.begin(key, late) is None
    assert service.begin(key, service.store.find(key).claim).runs == 1


def test_a_worker_whose_job_was_taken_away_stops(service, job):
    service._spawn = lambda job: None
    key = job()
    service.poll()
    with FolderLock(service.folder(key)) as lock:
        assert lock.take()
        report = StoreReport(service, service.begin(key, service.store.find(key).claim))
        report.progress(1, 10)
        assert report.wanted() == frozenset()
        with service.store.change() as changes:
            changes.drop(key)
        report.phase("training")
        assert report.wanted() == {"stop"}


def test_two_servers_never_start_a_job_twice(service, job, wait, tmp_path):
    """Both poll as fast as they can."""
    keys = [job(steps=3, device=f"cuda:{i % 2}") for i in range(8)]
    over, servers = threading.Event(), [Service(service.root, kinds=FAKE, forms=FakeForms()) for _ in range(2)]

    def poll(server):
        while not over.is_set():
            server.poll()
            over.wait(0.01)

    threads = [threading.Thread(target=poll, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        for key in keys:
            wait(key, "finished", 30)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for key in keys:
        assert [word for word, _, _ in diary(service, key)] == ["begin", "saved", "end"]
        assert [after for _, _, after in service.store.moves(key)] == ["starting", "running", "finished"]
