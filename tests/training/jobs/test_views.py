"""What lists and pages show of a job's files."""

import base64
import json
import struct

import pytest

from training.jobs import files, identities, views
from training.jobs.errors import Conflict, Unknown


def identity(path, **metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = json.dumps(
        {"__metadata__": metadata, "a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def test_the_curve_in_parts(service, job, monkeypatch):
    monkeypatch.setattr(views, "LINES", 4)
    key = job(start=False)
    path = service.folder(key) / "run" / "metrics.jsonl"
    assert views.metrics(service, key) == {"runs": 0, "n": 0, "more": False, "lines": []}
    path.parent.mkdir()
    lines = [json.dumps({"step": step, "loss": 1 / step}) for step in range(1, 7)]
    path.write_text(
        "\n".join([*lines, '{"step": 7, "loss": NaN, "word": "x"}', "no JSON", '{"loss": 1}', '{"step": 8'])
    )
    first = views.metrics(service, key)
    assert [line["step"] for line in first["lines"]] == [1, 2, 3, 4] and first["more"] and first["n"] == 4
    rest = views.metrics(service, key, first["n"])
    assert rest["lines"][-1] == {"step": 7, "loss": None} and not rest["more"] and rest["n"] == 7
    assert views.metrics(service, key, 99)["n"] == 7, "by which one sees that the job went back"


def test_the_decoder_goes_on_where_the_trunk_ended(service, job):
    key = job(start=False)
    run = service.folder(key) / "run"
    for folder, steps in ((run, (50, 100)), (run / "decoder", (10, 20))):
        (folder / "checkpoints" / f"step-{steps[0]:08d}").mkdir(parents=True)
        (folder / "metrics.jsonl").write_text("".join(json.dumps({"step": step}) + "\n" for step in steps))
    assert [line["step"] for line in views.metrics(service, key)["lines"]] == [50, 100]
    assert views.job(service, service.store.find(key))["resume_step"] == 50
    (run / "done.json").write_text('{"steps": 100}')
    assert [line["step"] for line in views.metrics(service, key)["lines"]] == [50, 100, 110, 120]
    assert views.job(service, service.store.find(key))["resume_step"] == 110


def test_the_log_in_parts(service, job, monkeypatch):
    monkeypatch.setattr(views, "TEXT", 16)
    key = job(start=False)
    text = "Größe 1\nGröße 2\nß" + "ü" * 30
    (service.folder(key) / "log.txt").write_bytes(text.encode())
    parts, after = [], 0
    while after < len(text.encode()):
        part = views.log(service, key, after)
        assert part["next"] > after and part["size"] == len(text.encode())
        parts.append(part["text"])
        after = part["next"]
    assert parts[0] == "Größe 1\n" and "".join(parts).replace("\ufffd", "").startswith("Größe 1\nGröße 2\nß")
    assert views.log(service, key, -4)["text"] == "üü" and views.log(service, key, 10**9)["text"] == ""


def test_samples_by_step(service, job):
    key = job(start=False)
    folder = service.folder(key) / "run" / "samples"
    folder.mkdir(parents=True)
    for name in ("step-00000010-ana.mp4", "step-00000002-long.mp4", "other.mp4", ".hidden.mp4", "notes.txt"):
        (folder / name).write_bytes(b"x")
    (folder / "step-00000003-link.mp4").symlink_to(service.folder(key) / "job.json")
    found = [(one["step"], one["label"]) for one in views.samples(service, key)]
    assert found == [(2, "long"), (10, "ana"), (None, "other")]
    with pytest.raises(Unknown):
        views.sample_path(service, key, "step-00000003-link.mp4")


def test_identities_say_what_they_are(service, job, tmp_path):
    key, kept = job(start=False), tmp_path / "kept"
    picture = base64.b64encode(b"\xff\xd8picture").decode()
    folder = service.folder(key) / "run" / "identities"
    identity(folder / "step-00000005.safetensors", name="Ana", preset="embedded", preview=picture, steps="5")
    identity(folder / "step-00000010.safetensors", preview="<script>", steps="10")
    (folder / "step-00000011.safetensors").write_bytes(b"\xff" * 20)
    found = views.checkpoints(service, key)
    assert [one["step"] for one in found] == [5, 10, 11]
    assert found[0]["preview"] == f"data:image/jpeg;base64,{picture}" and found[0]["name"] == "Ana"
    assert found[0]["metadata"] == {"name": "Ana", "preset": "embedded", "steps": "5"} and found[1]["preview"] is None
    assert found[2]["metadata"] == {} and found[2]["name"] == "step-00000011"
    source = views.checkpoint_path(service, key, "step-00000005.safetensors")
    path = identities.keep(source, kept, "Ana")
    with pytest.raises(Conflict, match="already"):
        identities.keep(source, kept, "Ana")
    values = [one["value"] for one in views.all_identities(service, kept)]
    assert set(values) == {
        "Ana.safetensors",
        *(f"job/{key}/step-000000{step}.safetensors" for step in ("05", "10", "11")),
    }
    for value in values:
        assert views.identity_path(service, kept, value).is_file()
    assert views.identity_path(service, kept, "Ana.safetensors") == path
    assert views.identity_path(service, kept, f"job/{key}/last").name == "step-00000011.safetensors"
    empty = job(start=False)
    for wrong in (
        "",
        "../Ana.safetensors",
        "job/x/y",
        f"job/{key}/../job.json",
        f"job/{empty}/last",
        "job/" + "0" * 16,
    ):
        with pytest.raises(Unknown):
            views.identity_path(service, kept, wrong)


def test_a_safetensors_file_is_read_again_when_it_changed(tmp_path):
    path = identity(tmp_path / "a.safetensors", name="Ana")
    assert identities.describe(path)["name"] == "Ana"
    identity(path, name="Ana the second")
    assert identities.describe(path)["name"] == "Ana the second"


def test_last_words_are_no_progress_bars(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("run 1\n\r 50%|###   | 1/2 [00:01<00:01]\r100%|######| 2/2 [00:02<00:00]\nkilled: 9 % left\n")
    assert files.tail(path) == ["run 1", "killed: 9 % left"]
