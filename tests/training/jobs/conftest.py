import time

import pytest

from tests.training.jobs import fake_kinds
from training.jobs.forms import Forms
from training.jobs.service import Service
from training.jobs.store import ACTIVE

FAKE = "tests.training.jobs.fake_kinds"


class FakeForms(Forms):
    """Asks no process."""

    def schemas(self):
        return {preset: fake_kinds.schema(preset) for preset in fake_kinds.PRESETS}


@pytest.fixture
def service(tmp_path):
    """With jobs that count steps; what still runs afterwards is ended."""
    made = Service(tmp_path / "root", kinds=FAKE, forms=FakeForms())
    yield made
    if made.store.exists():
        for job in made.store.all():
            if job.state in ACTIVE:
                made.stop(job.id, force=True)
    made.store.close()


@pytest.fixture
def dataset(service):
    """Id of a dataset with one clip."""
    key = service.datasets.create("Ana")["id"]
    scratch = service.datasets.scratch(key)
    scratch.write_bytes(b"video")
    service.datasets.add(key, scratch, "talk.mp4")
    return key


@pytest.fixture
def job(service, dataset):
    """Makes a job: job(steps=10, start=False) -> its id."""

    def make(name="ana", start=True, device="cpu", **settings):
        return service.create(name, "embedded", dataset, settings, device, start).id

    return make


@pytest.fixture
def wait(service):
    """Polls until a job is in a state, or a condition holds; returns the job."""

    def until(key, wanted, seconds=60.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            service.poll()
            found = service.store.find(key)
            if wanted(found) if callable(wanted) else found.state == wanted:
                return found
            time.sleep(0.05)
        log = service.folder(key) / "log.txt"
        raise AssertionError(f"{found}\n{log.read_text() if log.exists() else 'no log'}")

    return until
