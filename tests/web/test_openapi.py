"""What holds the stand-in's answers against the OpenAPI file: it must see what differs."""

from __future__ import annotations

from typing import Any

import pytest

from .fake_training import API
from .training_things import FakeDataset, FakeJob, key_of

JOB = FakeJob(key_of("a", 1), dataset=key_of("d", 1)).said(None)


def test_true_answers_have_no_faults() -> None:
    assert API.answer_faults("GET", f"/jobs/{JOB['id']}", 200, JOB) == []
    assert (
        API.answer_faults("GET", "/datasets", 200, {"datasets": [FakeDataset(key_of("d", 1), "Ada").said(False)]}) == []
    )
    assert API.request_faults("POST", f"/jobs/{JOB['id']}/stop", None) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"state": "sleeping"}, "is not one of"),
        ({"step": "3"}, "is not of type"),
        ({"step": True}, "is not of type"),
        ({"step": -1}, "is out of range"),
        ({"id": "../../etc"}, "does not match"),
        ({"colour": "red"}, "colour is unknown"),
        ({"metrics": {"loss": "low"}}, "is not of type"),
        ({"pending": ["stop", "dance"]}, "is not one of"),
    ],
)
def test_faults_are_seen(change: dict[str, Any], fault: str) -> None:
    (found,) = API.answer_faults("GET", f"/jobs/{JOB['id']}", 200, {**JOB, **change})
    assert fault in found


def test_what_is_missing_or_not_foreseen_is_seen() -> None:
    short = {key: value for key, value in JOB.items() if key != "runs"}
    assert "no runs" in API.answer_faults("GET", f"/jobs/{JOB['id']}", 200, short)[0]
    assert "not an answer" in API.answer_faults("GET", "/jobs", 201, {"jobs": []})[0]
    assert "no dataset" in API.request_faults("POST", "/jobs", {"name": "Ada", "preset": "embedded"})[0]
    assert API.request_faults("POST", "/jobs", None) and API.request_faults("GET", "/jobs", {})
    with pytest.raises(KeyError):
        API.operation("PUT", "/jobs")
