"""EchoTorrent_FineTune in a pretended ComfyUI, with jobs that count steps."""

import threading
import time
from types import SimpleNamespace

import pytest

from tests.nodes.fake_comfy import Interrupted, part
from tests.training.jobs import fake_kinds

InputError = part("echotorrent_core.errors").InputError
KINDS = "tests.training.jobs.fake_kinds"
MODEL = SimpleNamespace(config=SimpleNamespace(name="embedded"))


@pytest.fixture
def service(host, tmp_path, monkeypatch):
    jobs, forms = part("training.jobs.service"), part("training.jobs.forms")
    schemas = {preset: fake_kinds.schema(preset) for preset in fake_kinds.PRESETS}
    asked = forms.Forms(KINDS)
    monkeypatch.setattr(asked, "schemas", lambda: schemas)
    made = jobs.Service(tmp_path / "user" / "echotorrent", kinds=KINDS, forms=asked)
    monkeypatch.setattr(part("nodes.host"), "jobs", lambda: made)
    (tmp_path / "input" / "ana").mkdir(parents=True)
    (tmp_path / "input" / "talk.mp4").write_bytes(b"video")
    for name in ("a.mp4", "b.png"):
        (tmp_path / "input" / "ana" / name).write_bytes(b"clip")
    yield made
    for job in made.store.all():
        if job.state in ("starting", "running"):
            made.stop(job.id, force=True)
    made.store.close()


@pytest.fixture
def node(service):
    return part("nodes.finetune").FineTune


def run(node, clips="talk.mp4", settings="steps=10", **more):
    return node.execute(MODEL, "ana", clips, settings=settings, **more).args


def test_it_returns_at_once(node, service):
    job, identity = run(node)
    assert identity == f"job/{job}/last" and service.store.find(job).state == "starting"
    found = service.store.find(job)
    assert found.spec["preset"] == "embedded" and found.spec["settings"] == {"steps": 10} and found.device == "cpu"
    assert [clip["file"] for clip in service.datasets.describe(found.dataset)["clips"]] == ["talk.mp4"]


def test_it_waits_and_names_what_was_made(node, service):
    job, identity = run(node, clips="ana", wait=True)
    assert service.store.find(job).state == "finished" and identity == f"job/{job}/step-00000010.safetensors"
    host = part("nodes.host")
    path = host.identity_path(identity)
    assert path.is_file() and host.identity_path(f"job/{job}/last") == path
    with pytest.raises(InputError, match="there is no identity"):
        host.identity_path("../ana.safetensors")


def test_the_same_again_is_the_same_job(node, service, tmp_path):
    first, _ = run(node, settings="steps=200\nseconds=0.02", wait=False)
    assert run(node, settings="steps=200\nseconds=0.02")[0] == first
    service.stop(first, force=True)
    again, _ = run(node, settings="steps=200\nseconds=0.02")
    assert again == first and service.store.find(first).state in ("starting", "running", "queued")
    service.stop(first, force=True)
    assert run(node, settings="steps=201")[0] != first
    (tmp_path / "input" / "talk.mp4").write_bytes(b"another video")
    assert run(node, settings="steps=200\nseconds=0.02")[0] != first
    assert len(service.store.all()) == 3


def test_an_interrupt_leaves_the_job_running(node, service, host):
    begun = threading.Timer(1.0, lambda: setattr(host, "interrupt", True))
    begun.start()
    with pytest.raises(Interrupted):
        run(node, settings="steps=1000\nseconds=0.02", wait=True)
    begun.join()
    (job,) = service.store.all()
    before = job.step
    time.sleep(1.5)
    after = service.store.find(job.id)
    assert after.state == "running" and after.step > before


def test_failures_are_told(node, service):
    with pytest.raises(InputError, match=r"failed: the clips show nobody; use others; queue again"):
        run(node, settings="trouble=input", wait=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"clips": ""}, "give clips"),
        ({"clips": "talk.mp4", "dataset": "0" * 16}, "and not both"),
        ({"clips": "", "dataset": "0" * 16}, "there is no dataset"),
        ({"clips": "../secret.mp4"}, "is not a path below"),
        ({"clips": "none.mp4"}, "is not there"),
        ({"settings": "steps"}, "is no key=value"),
        ({"settings": "steps=0"}, "expected a number from 1"),
        ({"settings": "other=0"}, "there is no 'other'"),
    ],
)
def test_mistakes(node, service, given, message):
    with pytest.raises(InputError, match=message):
        run(node, **given)
    assert service.store.all() == [] and service.datasets.all() == []
    if not given.get("settings"):
        assert message in str(node.validate_inputs("ana", given.get("clips", "talk.mp4"), given.get("dataset", "")))


def test_fingerprints(node, service, tmp_path):
    def mark():
        return node.fingerprint_inputs(clips="talk.mp4\nana", dataset="", name="ana")

    before = mark()
    assert mark() == before and node.validate_inputs("ana", "talk.mp4\nana") is True
    (tmp_path / "input" / "ana" / "a.mp4").write_bytes(b"other clip")
    changed = mark()
    assert changed != before
    job, _ = run(node, wait=True)
    assert mark() == changed
    deadline = time.monotonic() + 10
    while service.store.all() and time.monotonic() < deadline:
        try:
            service.delete(job)
        except ValueError:
            time.sleep(0.05)
    assert mark() != changed
