"""python -m training.jobs"""

import json
import subprocess
import sys

import pytest

from tests.test_repository import ROOT
from tests.training.jobs.conftest import FAKE, FakeForms
from training.jobs import __main__ as shell
from training.jobs.service import Service


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """run("list") -> (exit status, output, errors)"""
    monkeypatch.setattr(shell, "Service", lambda root, kinds: Service(root, kinds=kinds, forms=FakeForms()))
    monkeypatch.setattr(shell, "POLL", 0.05)

    def call(*words):
        status = shell.main(["--root", str(tmp_path / "root"), "--kinds", FAKE, *words])
        captured = capsys.readouterr()
        return status, captured.out.strip(), captured.err.strip()

    return call


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"video")
    return str(path)


def test_from_clips_to_the_end(run, clip):
    status, key, _ = run("add", "ana", "steps=5", "--clips", clip)
    assert status == 0 and len(key) == 16
    status, said, _ = run("watch", key[:6])
    assert status == 0 and "finished, step 5 of 5" in said and "loss 0.16" in said
    shown = json.loads(run("show", key)[1])
    assert shown["state"] == "finished" and shown["settings"] == {"steps": 5} and shown["resume_step"] == 5
    assert "run 1" in run("log", key)[1]
    listed = run("list")[1]
    assert f"{key}  ana: identity on cpu, finished" in listed and "dataset ana, 1 clips" in listed
    assert run("delete", key) == (0, "", "")


def test_commands(run, clip):
    key = run("add", "ana", "--clips", clip, "--later")[1]
    assert "stopped" in run("list")[1]
    assert "queued" in run("start", key)[1]
    run("stop", key)
    assert run("watch", key)[0] == 1 and "stopped" in run("list")[1]
    assert "ana 2: identity on cpu, stopped" in run("duplicate", key)[1]
    status, _, error = run("save", "0000")
    assert status == 2 and error == "error: there is no job that begins with '0000'"


def test_work_goes_on_until_nothing_waits(run, clip):
    keys = [run("add", f"job {i}", "steps=3", "--clips", clip)[1] for i in range(2)]
    run("work")
    assert run("list")[1].count("finished") == len(keys)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("add", "ana", "--clips", "nowhere.mp4"), "nowhere.mp4: not found"),
        (("add", "ana", "--dataset", "x"), "there is no dataset 'x'"),
        (("check", "x"), "there is no dataset 'x'"),
        (("show", ""), "there is no job"),
    ],
)
def test_mistakes(run, words, error):
    status, _, said = run(*words)
    assert status == 2 and error in said


def test_it_needs_the_standard_library_only():
    code = "import training.jobs.service, training.jobs.worker, training.jobs.__main__, training.jobs.views, sys\n"
    code += "found = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names) - {'training'}\n"
    code += "assert not {name for name in found if not name.startswith('_')} - {'sitecustomize', 'mypyc'}, found"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
