"""Settings against the trainer's schema, and the process that says it."""

import pytest

from tests.training.jobs.conftest import FAKE
from training.jobs import process
from training.jobs.errors import Conflict, Refused
from training.jobs.forms import Forms, check

EVERY = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 0, "exclusiveMaximum": 10},
        "rate": {"type": ["number", "null"], "exclusiveMinimum": 0},
        "text": {"type": "string", "maxLength": 3},
        "flag": {"type": "boolean"},
        "list": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
        "kind": {"enum": ["a", "b"]},
        "free": {},
    },
}


@pytest.mark.parametrize(
    "value",
    [
        {}, {"count": 0}, {"count": 9.0}, {"rate": None}, {"rate": 1e-9}, {"text": "abc"}, {"flag": False},
        {"list": [1, 2]}, {"kind": "b"}, {"free": [{"x": 1}]},
    ],
)  # fmt: skip
def test_what_fits(value):
    check(value, EVERY, "settings")


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([], "settings:"), ({"count": 10}, "settings.count"), ({"count": -1}, "settings.count"),
        ({"count": 0.5}, "whole number"), ({"count": True}, "whole number"), ({"count": "1"}, "whole number"),
        ({"rate": 0}, "settings.rate"), ({"rate": float("nan")}, "settings.rate"), ({"rate": 10**400}, "settings.rate"),
        ({"text": "abcd"}, "4 characters"), ({"flag": 1}, "true or false"), ({"list": [1, "x"]}, r"settings.list\[1\]"),
        ({"list": [1, 2, 3]}, "3 entries"), ({"kind": "c"}, "one of a, b"), ({"other": 1}, "there is no 'other'"),
    ],
)  # fmt: skip
def test_what_does_not(value, where):
    with pytest.raises(Refused, match=where):
        check(value, EVERY, "settings")


def test_the_trainer_is_asked_in_a_process_of_its_own():
    forms = Forms(FAKE)
    assert set(forms.schemas()) == {"embedded", "tiny"} and forms.known("tiny")["title"] == "tiny"
    found = forms.estimate({"preset": "embedded", "settings": {"steps": 10}}, "cpu")
    assert found == {"bytes": 10_000, "parts": {"weights": 6000, "working": 4000}, "seconds": 0.1}
    with pytest.raises(Conflict, match="the preset tiny cannot be estimated"):
        forms.estimate({"preset": "tiny", "settings": {}}, "cpu")
    with pytest.raises(Conflict, match="No module named"):
        Forms("training.nowhere").schemas()


def test_an_estimate_is_asked_for_once(monkeypatch):
    asked = []
    monkeypatch.setattr(
        process, "ask", lambda module, question, device: asked.append(question) or {"bytes": len(asked)}
    )
    forms = Forms(FAKE)
    found = [forms.estimate({"settings": {"steps": steps}}, "cpu")["bytes"] for steps in (1, 1, 2, 1)]
    assert found == [1, 1, 2, 1] and forms.estimate({"settings": {"steps": 1}}, "cuda:0") == {"bytes": 3}


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(process, "ask", lambda *question: {"schemas": {}, "missing": ["accelerate", "yaml"]})
    with pytest.raises(Conflict, match="'pip install accelerate pyyaml' into ComfyUI's Python"):
        Forms(FAKE).schemas()


def test_a_device_is_all_that_a_worker_sees_of_cuda():
    def seen(device, **given):
        return process.environment(device, given).get("CUDA_VISIBLE_DEVICES")

    assert seen("cpu") == "" and seen("cuda:1") == "1" and seen("mps") is None
    assert seen("cuda:1", CUDA_VISIBLE_DEVICES="3,5") == "5" and seen("cpu", CUDA_VISIBLE_DEVICES="3") == ""
