"""Datasets and jobs in real ComfyUI servers, one of which is killed."""

import json
import time
import urllib.error
import urllib.request

import pytest

from tests.nodes import comfy_host
from tests.training.jobs.conftest import FakeForms
from training.jobs.service import Service

pytestmark = pytest.mark.slow
BASE = "/echotorrent/training"


@pytest.fixture(params=comfy_host.versions())
def version(request):
    with comfy_host.or_skip(request.param):
        comfy_host.checkout(request.param), comfy_host.python()
    return request.param


def call(server, method, path, value=None, data=None, **headers):
    """(status, what the JSON says)"""
    if value is not None:
        data, headers = json.dumps(value).encode(), {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(server.url + BASE + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")  # ComfyUI refuses other sites without a word


def test_datasets_and_jobs_outlive_the_server(version, tmp_path):
    with comfy_host.Server(version, tmp_path) as server:
        status, options = call(server, "GET", "/options")
        assert status == 200 and options["devices"][0]["id"] == "cpu" and options["devices"][0]["free_bytes"] > 1 << 20
        assert call(server, "GET", "/options", Origin="https://evil.example")[0] == 403
        dataset = call(server, "POST", "/datasets", {"name": "Ana"})[1]["id"]
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="talk.mp4"\r\n\r\nno video\r\n--x--\r\n'
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        assert call(server, "POST", f"/datasets/{dataset}/clips", data=part, **kind)[0] == 201
        root = tmp_path / "user" / "echotorrent"
        service = Service(root, forms=FakeForms())  # a second process on the same folder
        job = service.create("ana", "embedded", dataset, {}, "cpu", start=False).id
        assert call(server, "GET", f"/jobs/{job}")[1]["state"] == "stopped"
        server.kill()
    with comfy_host.Server(version, tmp_path) as server:
        assert [one["id"] for one in call(server, "GET", "/datasets")[1]["datasets"]] == [dataset]
        assert call(server, "POST", f"/jobs/{job}/start")[0] == 200
        deadline = time.monotonic() + 120
        while (found := call(server, "GET", f"/jobs/{job}")[1])["state"] != "failed" and time.monotonic() < deadline:
            time.sleep(0.5)  # with no video to be had of the clip, it cannot but fail
        assert found["state"] == "failed" and found["reason"] and found["runs"] == 1, found
        assert "run 1" in call(server, "GET", f"/jobs/{job}/log")[1]["text"]
        assert call(server, "DELETE", f"/jobs/{job}")[0] == 200
    service.store.close()
