"""Datasets and jobs over HTTP."""

import json
import random
import re
import socket
import time
import urllib.parse
from pathlib import Path

import pytest

from tests.nodes.test_guard import names

training_site = pytest.importorskip("tests.nodes.training_site", reason="the routes need aiohttp, which ComfyUI brings")
routes = training_site.routes

OPENAPI = json.loads((Path(__file__).parents[2] / "nodes" / "openapi.json").read_text())


@pytest.fixture
def site(tmp_path):
    made = training_site.Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def dataset(site):
    key = site("POST", "/datasets", {"name": "Ana"})[1]["id"]
    assert site.upload(key, {"talk.mp4": b"video", "me.png": b"picture"})[0] == 201
    return key


@pytest.fixture
def job(site, dataset):
    def make(start=True, **settings):
        given = {"name": "ana", "preset": "embedded", "dataset": dataset, "settings": settings, "start": start}
        status, made = site("POST", "/jobs", given)
        assert status == 201, made
        return made["id"]

    return make


@pytest.fixture
def wait(site):
    def until(key, state, seconds=20.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            _, found = site("GET", f"/jobs/{key}")
            if found["state"] == state:
                return found
            time.sleep(0.05)
        raise AssertionError(found)

    return until


def test_every_operation_of_the_openapi_file_is_a_route_and_no_other():
    from aiohttp import web

    table = web.RouteTableDef()
    routes.register(table, routes.Site(*[type("Any", (), {"__getattr__": lambda self, name: None})()] * 5))
    there = {(found.method.lower(), found.path.removeprefix(routes.BASE)) for found in table}
    methods = ("get", "post", "patch", "delete")
    told = {(method, path) for path, item in OPENAPI["paths"].items() for method in item if method in methods}
    assert there == told


def test_from_clips_to_a_kept_identity(site, job, wait, dataset):
    key = job(steps=10)
    done = wait(key, "finished")
    assert (done["step"], done["total"], done["resume_step"], done["dataset"]) == (10, 10, 10, dataset)
    _, curve = site("GET", f"/jobs/{key}/metrics")
    assert [line["step"] for line in curve["lines"]] == list(range(1, 11)) and (curve["n"], curve["runs"]) == (10, 1)
    _, rest = site("GET", f"/jobs/{key}/metrics?after=8")
    assert [line["step"] for line in rest["lines"]] == [9, 10] and rest["n"] == 10 and not rest["more"]
    _, log = site("GET", f"/jobs/{key}/log")
    assert "run 1" in log["text"] and log["next"] == log["size"]
    assert site("GET", f"/jobs/{key}/log?after=-5")[1]["text"] == log["text"][-5:]
    assert site("GET", f"/jobs/{key}/log?after={log['size']}")[1] == {
        "text": "",
        **{"next": log["size"]},
        "size": log["size"],
    }
    _, found = site("GET", f"/jobs/{key}/checkpoints")
    assert [one["step"] for one in found["checkpoints"]] == [5, 10]
    file = found["checkpoints"][1]["file"]
    status, data, headers = site.raw("GET", f"/jobs/{key}/checkpoints/{file}")
    assert status == 200 and b"step" in data and headers["X-Content-Type-Options"] == "nosniff"
    status, kept = site("POST", "/identities", {"job": key, "file": file, "name": "Ana 1"})
    assert status == 201 and kept["value"] == "Ana 1.safetensors" and (site.base / "models" / kept["value"]).exists()
    assert site("POST", "/identities", {"job": key, "file": file, "name": "Ana 1"})[0] == 409
    assert [one["source"] for one in site("GET", "/identities")[1]["identities"]].count("job") == 2
    status, made = site("POST", f"/jobs/{key}/compare", {"checkpoints": [file], "clip": "talk.mp4"})
    assert status == 201 and made["parent"] == key and made["device"] == "check"
    wait(made["id"], "finished")
    _, shown = site("GET", f"/jobs/{made['id']}/samples")
    assert [one["file"] for one in shown["samples"]] == ["step-00000010.mp4"]
    assert site.raw("GET", f"/jobs/{made['id']}/samples/step-00000010.mp4", Range="bytes=1-2")[:2] == (206, b"id")
    assert site("DELETE", f"/jobs/{key}") == (200, {"deleted": key})
    assert site("GET", f"/jobs/{key}")[0] == 404
    assert [one["source"] for one in site("GET", "/identities")[1]["identities"]] == ["models"]


def test_commands(site, job, wait):
    key = job(steps=1000, seconds=0.02)
    wait(key, "running")
    assert site("POST", f"/jobs/{key}/start")[0] == 409
    for command in ("save", "sample"):
        assert site("POST", f"/jobs/{key}/{command}")[0] == 200
    assert site("DELETE", f"/jobs/{key}")[0] == 409
    deadline = time.monotonic() + 10
    while site("GET", f"/jobs/{key}")[1]["pending"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(site("GET", f"/jobs/{key}/samples")[1]["samples"]) == 1
    site("POST", f"/jobs/{key}/pause")
    wait(key, "paused")
    assert site("POST", f"/jobs/{key}/resume")[1]["state"] in ("queued", "starting")
    wait(key, "running")
    site("POST", f"/jobs/{key}/stop", {"force": True})
    stopped = wait(key, "stopped")
    assert stopped["pid"] is None and stopped["runs"] == 2
    status, copy = site("POST", f"/jobs/{key}/duplicate", {"settings": {"steps": 5}})
    assert status == 201 and copy["settings"] == {"steps": 5, "seconds": 0.02} and copy["name"] == "ana 2"


def test_the_queue(site, job):
    first = job(steps=1000, seconds=0.02)
    keys = [job() for _ in range(3)]
    listed = {one["id"]: one for one in site("GET", "/jobs?kind=identity&state=queued")[1]["jobs"]}
    assert [listed[key]["position"] for key in keys] == [0, 1, 2] and first not in listed
    assert site("PATCH", f"/jobs/{keys[2]}", {"position": 0, "name": "next"})[1]["position"] == 0
    assert site("GET", f"/jobs/{keys[0]}")[1]["position"] == 1
    assert site("PATCH", f"/jobs/{first}", {"position": 0})[0] == 409
    for wrong in ({}, {"position": -1}, {"position": "0"}, {"name": None}, {"state": "finished"}):
        assert site("PATCH", f"/jobs/{keys[0]}", wrong)[0] == 400


def test_looking_at_clips(site, dataset, wait):
    assert site("GET", f"/datasets/{dataset}/clips/talk.mp4/thumbnail")[0] == 404
    status, look = site("POST", f"/datasets/{dataset}/check")
    assert status == 201 and look["kind"] == "check"
    wait(look["id"], "finished")
    _, found = site("GET", f"/datasets/{dataset}")
    assert all(clip["thumbnail"] and clip["verdict"]["usable"] for clip in found["clips"]) and found["usable"] == 2
    status, data, headers = site.raw("GET", f"/datasets/{dataset}/clips/talk.mp4/thumbnail")
    assert data == b"\xff\xd8picture" and headers["Content-Type"] == "image/jpeg"
    status, data, headers = site.raw("GET", f"/datasets/{dataset}/clips/talk.mp4/video", Range="bytes=0-1")
    assert (status, data) == (206, b"vi") and headers["Content-Type"] == "video/mp4"
    _, clip = site("PATCH", f"/datasets/{dataset}/clips/talk.mp4", {"begin": 0.5, "caption": "hello"})
    assert clip["verdict"] is None and clip["begin"] == 0.5
    _, left = site("DELETE", f"/datasets/{dataset}/clips/me.png")
    assert [one["file"] for one in left["clips"]] == ["talk.mp4"]


def test_a_dataset_in_use_stays(site, dataset, job, wait):
    key = job(steps=1000, seconds=0.02)
    assert site("DELETE", f"/datasets/{dataset}")[0] == 409
    assert site("DELETE", f"/datasets/{dataset}/clips/talk.mp4")[0] == 409
    wait(key, "running")
    site("POST", f"/jobs/{key}/stop", {"force": True})
    assert site("DELETE", f"/datasets/{dataset}") == (200, {"deleted": dataset})
    assert site("POST", f"/jobs/{key}/duplicate")[0] == 404


def test_options_and_estimate(site, dataset):
    _, options = site("GET", "/options")
    assert [preset["name"] for preset in options["presets"]] == ["embedded", "tiny"] and options[
        "devices"
    ] == training_site.DEVICES
    assert options["problem"] is None and ".mp4" in options["media"] and options["folders"] == ["input", "output"]
    given = {"preset": "embedded", "settings": {"steps": 12}, "dataset": dataset}
    _, found = site("POST", "/estimate", given)
    assert found["fits"] and found["needed_bytes"] == 12_000 and found["device"] == "cpu"
    assert not site("POST", "/estimate", {**given, "device": "cuda:0"})[1]["fits"]
    for wrong, status in (
        ({"preset": "x"}, 400),
        ({"preset": "tiny"}, 409),
        ({"preset": "embedded", "device": "cuda:1"}, 400),
    ):
        assert site("POST", "/estimate", wrong)[0] == status


def test_uploads_go_to_disk_as_they_come(site, dataset, monkeypatch):
    from tests.nodes.fake_comfy import part

    requests = part("nodes.training_requests")
    big = bytes(random.Random(0).randbytes(5 << 20))
    status, found = site.upload(dataset, {"../../big.mp4": big, "talk.mp4": b"other"})
    assert status == 201 and found["added"] == ["big.mp4", "talk-2.mp4"]
    assert site.raw("GET", f"/datasets/{dataset}/clips/big.mp4/video")[1] == big
    monkeypatch.setattr(requests, "LARGEST_UPLOAD", 4 << 20)
    assert site.upload(dataset, {"bigger.mp4": big})[0] == 413
    for name, content in (("page.html", b"<script>"), ("empty.mp4", b"")):
        assert site.upload(dataset, {name: content})[0] == 400
    assert site.upload(dataset, {"a.mp4": b"x"}, field="other")[0] == 400
    path = f"/datasets/{dataset}/clips"
    for kind, data in (
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"no such thing"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nab',
        ),
        (
            "multipart/mixed; boundary=x",
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n--y--\r\n--x--",
        ),
        ("multipart/form-data; boundary=" + "x" * 100, b"--"),
        ("multipart/form-data; boundary=x", b""),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="\xc3\x17"\r\n\r\n\r\n--x--\r\n',
        ),
    ):
        assert site.raw("POST", path, data, **{"Content-Type": kind})[0] == 400, (kind, data)
    folder = site.service.datasets.root / dataset / "clips"
    assert sorted(one.name for one in folder.iterdir()) == ["big.mp4", "me.png", "talk-2.mp4", "talk.mp4"]


def test_paths_outside_the_folders_are_refused(site, dataset, tmp_path):
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (tmp_path / "input" / "clip.mp4").write_bytes(b"video")
    (tmp_path / "input" / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (tmp_path / "input" / "out").symlink_to(tmp_path)
    path = f"/datasets/{dataset}/clips"
    assert site("POST", path, {"path": "input/clip.mp4"})[1]["added"] == ["clip.mp4"]
    for wrong in (
        str(tmp_path / "secret.mp4"), "../secret.mp4", "input/../secret.mp4", "input/link.mp4", "input/out/secret.mp4",
        "secret.mp4", "input", "input/", "/etc/passwd", "temp/x.mp4", "input//etc/passwd", "input\\..\\secret.mp4",
        7, None, [], "", "input/clip.mp4\0",
    ):  # fmt: skip
        status, said = site("POST", path, {"path": wrong})
        assert status == 400 and said["error"], wrong
    assert "is not there" in site("POST", path, {"path": "input/none.mp4"})[1]["error"]
    assert not [one for one in site("GET", f"/datasets/{dataset}")[1]["clips"] if one["bytes"] == len(b"secret")]


def test_files_that_settings_name_lie_in_the_folders(site, dataset, job, tmp_path):
    (tmp_path / "secret.safetensors").write_bytes(b"x")
    (tmp_path / "models" / "wan.safetensors").write_bytes(b"x")
    given = {"name": "ana", "preset": "embedded", "dataset": dataset, "start": False}
    key = job(start=False)
    for wrong in (
        "/etc/passwd",
        "../secret.safetensors",
        str(tmp_path / "secret.safetensors"),
        "models/none.gguf",
        "x",
    ):
        for path, more in (("/jobs", given), ("/estimate", {"preset": "embedded"}), (f"/jobs/{key}/duplicate", {})):
            status, said = site("POST", path, {**more, "settings": {"weights": [wrong]}})
            assert status == 400 and any(part in said["error"] for part in ("path below", "is not there")), path
    status, made = site("POST", "/jobs", {**given, "settings": {"weights": ["models/wan.safetensors"], "note": "/etc"}})
    assert made["settings"] == {"weights": [str(tmp_path / "models" / "wan.safetensors")], "note": "/etc"}
    assert site("POST", f"/jobs/{made['id']}/duplicate", {"settings": made["settings"]})[0] == 201


def test_no_name_leads_out(site, dataset, job):
    """Fuzz of ids, clips and files: never more than what is listed, and never an error of the server."""
    (site.base / "secret").write_text("hidden words")
    key = job(start=False)
    for folder, name in (("samples", "step-00000001-a.mp4"), ("identities", "step-00000001.safetensors")):
        (site.service.folder(key) / "run" / folder).mkdir(parents=True)
        (site.service.folder(key) / "run" / folder / name).write_bytes(b"x")
    shapes = [
        "/datasets/{}", f"/datasets/{dataset}/clips/{{}}/video", f"/datasets/{dataset}/clips/{{}}/thumbnail",
        "/jobs/{}", "/jobs/{}/log", f"/jobs/{key}/samples/{{}}", f"/jobs/{key}/checkpoints/{{}}", "/jobs/{}/metrics",
    ]  # fmt: skip
    chance = random.Random(1)
    for name in names(400, seed=1):
        quoted = urllib.parse.quote(name.encode(errors="ignore"), safe=chance.choice(("", "/", "%")))
        path = chance.choice(shapes).format(quoted)
        status, said, _ = site.raw(
            chance.choice(("GET", "DELETE", "PATCH")), path, "{}" if chance.random() < 0.5 else None
        )
        assert 400 <= status < 500 or quoted in ("", "/"), path
        assert b"hidden words" not in said
    for depth in range(9):
        for way in ("../", "..%2f", "..%5c", "%2e%2e%2f"):
            for shape in shapes:
                status, said, _ = site.raw("GET", shape.format(way * depth + "secret"))
                assert status in (400, 404) and b"hidden words" not in said, (shape, way, depth)
    for name in ("%00", "%ff%fe", "%ed%a0%80", "..%2f..%2fjob.json", "%2e%2e", "%F0%9F%98%80", "a" * 5000):
        for shape in shapes:
            status, said, _ = site.raw("GET", shape.format(name))
            assert status in (400, 404, 414), (shape, name)


def test_other_sites_are_refused(site, dataset):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://[broken"):
        for method, path in (("GET", "/options"), ("POST", "/datasets"), ("DELETE", f"/datasets/{dataset}")):
            status, said = site(method, path, Origin=origin)
            assert status == 403 and said == {"error": "requests of other sites are refused"}
    assert site("GET", "/datasets", Origin=f"http://127.0.0.1:{site.port}")[0] == 200


BODIES = [
    b"{", b"[]", b"null", b"1", b'"x"', b"\xff", b'{"name": 1e999}', b'{"name": NaN}', b'{"name": "\\ud800"}',
    b'{"name": ' + b"[" * 3000 + b"]" * 3000 + b"}", b"[" * 100_000, b'{"name": ' + b"9" * 5000 + b"}", b'{"x": 1}',
    b'{"name": "a\\u0000"}', b'{"name": ""}', b'{"name": "' + b"x" * 65 + b'"}', b'{"name": {"a": 1}}', b"",
    b'{"name": true}', b'{"name": "\\n"}', b'{"\\ud800": 1}', b'{"name": [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}',
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BODIES)))
def test_bodies_that_are_none(site, number):
    status, said, _ = site.raw("POST", "/datasets", BODIES[number], **{"Content-Type": "application/json"})
    assert status == 400 and set(json.loads(said)) == {"error"}, said


def test_what_json_lets_through_and_nothing_else_takes(site, dataset):
    path = f"/datasets/{dataset}/clips/talk.mp4"
    for text in ('{"caption": "\\ud800"}', '{"caption": "a", "begin": 1e999}', '{"begin": NaN}'):
        assert site.raw("PATCH", path, text)[0] == 400, text
    deep = '{"preset": "embedded", "settings": {"steps": ' + "[" * 900 + "]" * 900 + "}}"
    assert "nested deeper" in json.loads(site.raw("POST", "/estimate", deep)[1])["error"]
    assert site("GET", f"/datasets/{dataset}")[1]["clips"][0]["caption"] == ""


def test_a_request_that_breaks_off(site, dataset):
    for kind in ("application/json", "multipart/form-data; boundary=x"):
        with socket.create_connection(("127.0.0.1", site.port), 10) as plug:
            head = f"POST {routes.BASE}/datasets/{dataset}/clips HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
            plug.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n5\r\n--x\r\n\r\nno number\r\n")
            assert b" 400 " in plug.recv(1000)
    clips = site.service.datasets.root / dataset / "clips"
    with socket.create_connection(("127.0.0.1", site.port), 10) as plug:
        head = f"POST {routes.BASE}/datasets/{dataset}/clips HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n"
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="cut.mp4"\r\n\r\n' + b"x" * 2000
        plug.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + part)
        deadline = time.monotonic() + 10
        while not list(clips.glob(".*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(clips.glob(".*.tmp"))
    while list(clips.glob(".*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sorted(path.name for path in clips.iterdir()) == ["me.png", "talk.mp4"]


def test_large_bodies_and_bad_queries(site, job):
    assert site.raw("POST", "/datasets", b'{"name": "' + b"x" * (2 << 20) + b'"}')[0] == 413
    key = job(start=False)
    for query in ("after=x", "after=-1", "after=1.5", "after=" + "9" * 40, "after=%C2%B2", "after="):
        assert site("GET", f"/jobs/{key}/metrics?{query}")[0] == 400, query
    for query in ("state=gone", "kind=x", "dataset=x", "state="):
        assert site("GET", f"/jobs?{query}")[0] == 400, query


def test_a_full_disk_is_said(site, monkeypatch):
    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(site.service.datasets, "create", full)
    status, said = site("POST", "/datasets", {"name": "Ana"})
    assert status == 409 and "No space left on device" in said["error"]


def test_sentences_of_errors(site, dataset):
    status, said = site(
        "POST", "/jobs", {"name": "ana", "preset": "embedded", "dataset": dataset, "settings": {"steps": 0}}
    )
    assert status == 400 and re.match(r"settings\.steps: expected a number from 1 to 100000, got 0", said["error"])
    assert site("POST", "/jobs", {"name": "ana"})[1]["error"] == "the body: preset is missing"


def test_the_jobs_are_looked_after_without_requests(site, job, wait, monkeypatch):
    monkeypatch.setattr(routes, "POLL", 0.05)
    poll, failing = site.service.poll, [OSError(28, "No space left on device")] * 3

    def sometimes():
        if failing:
            raise failing.pop()
        poll()

    monkeypatch.setattr(site.service, "poll", sometimes)
    over = routes.keep_going(site.service)
    try:
        key = job(start=False, steps=3)
        site.service.start(key)
        wait(key, "finished")
    finally:
        over.set()
