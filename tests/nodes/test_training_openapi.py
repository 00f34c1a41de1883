"""The routes against their OpenAPI file, with what schemathesis makes up."""

import json
from pathlib import Path

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="it makes the requests up (extra 'dev')")
hypothesis = pytest.importorskip("hypothesis")
training_site = pytest.importorskip("tests.nodes.training_site", reason="the routes need aiohttp, which ComfyUI brings")

pytestmark = pytest.mark.slow
FILE = Path(__file__).parents[2] / "nodes" / "openapi.json"
CASES = 60  # of each operation
SCHEMA = schemathesis.openapi.from_dict(json.loads(FILE.read_text()))
CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
    schemathesis.checks.negative_data_rejection,
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = training_site.Site(tmp_path_factory.mktemp("site"))
    made.service._spawn = lambda job: None  # hundreds of jobs are made: none of them shall run
    yield made
    made.close()


@pytest.fixture(scope="module")
def known(site):
    """Ids of what is there, so that requests go further than 'there is no such thing'."""
    dataset = site("POST", "/datasets", {"name": "Ana"})[1]["id"]
    site.upload(dataset, {"talk.mp4": b"video"})
    job = site("POST", "/jobs", {"name": "ana", "preset": "embedded", "dataset": dataset, "start": False})[1]["id"]
    samples = site.service.folder(job) / "run" / "samples"
    samples.mkdir(parents=True)
    (samples / "step-00000005-ana.mp4").write_bytes(b"video")
    (site.service.folder(job) / "log.txt").write_text("hello\n")
    (site.service.folder(job) / "run" / "metrics.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
    return {"dataset": dataset, "job": job, "clip": "talk.mp4", "file": "step-00000005-ana.mp4"}


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_nothing_is_a_server_error_and_all_is_as_told(case, site, known):
    case.call_and_validate(base_url=site.url, checks=CHECKS)
    if case.path_parameters and case.operation.method.upper() != "DELETE":  # once more with what is there
        case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
        case.call_and_validate(base_url=site.url, checks=CHECKS[:4])
